// The go-zero service trans.rpc. If its configuration has a section Etcd, go-zero registers the
// service in etcd; otherwise the service only listens.
package main

import (
	"context"
	"flag"
	"fmt"

	"github.com/zeromicro/go-zero/core/conf"
	"github.com/zeromicro/go-zero/zrpc"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/emptypb"

	"concerto.test/gozero/trans"
)

// The most that an account takes in one transfer. More is refused for good, and the saga rolls
// back.
const transferInMax = 1000

type accounts struct {
	trans.UnimplementedTransSvcServer
}

func (accounts) TransOut(_ context.Context, in *trans.AdjustInfo) (*emptypb.Empty, error) {
	fmt.Printf("transfer out %d cents from %d\n", in.Amount, in.UserId)
	return &emptypb.Empty{}, nil
}

func (accounts) TransIn(_ context.Context, in *trans.AdjustInfo) (*emptypb.Empty, error) {
	if in.Amount > transferInMax {
		fmt.Printf("refuse to transfer in %d cents to %d\n", in.Amount, in.UserId)
		return nil, status.Errorf(codes.Aborted, "account %d takes at most %d cents", in.UserId,
			transferInMax)
	}
	fmt.Printf("transfer in %d cents to %d\n", in.Amount, in.UserId)
	return &emptypb.Empty{}, nil
}

func (accounts) TransOutRevert(_ context.Context, in *trans.AdjustInfo) (*emptypb.Empty, error) {
	fmt.Printf("revert: transfer out %d cents from %d\n", in.Amount, in.UserId)
	return &emptypb.Empty{}, nil
}

func (accounts) TransInRevert(_ context.Context, in *trans.AdjustInfo) (*emptypb.Empty, error) {
	fmt.Printf("revert: transfer in %d cents to %d\n", in.Amount, in.UserId)
	return &emptypb.Empty{}, nil
}

func main() {
	file := flag.String("f", "trans.yaml", "go-zero configuration of the service")
	flag.Parse()
	var config zrpc.RpcServerConf
	conf.MustLoad(*file, &config)
	server := zrpc.MustNewServer(config, func(registrar *grpc.Server) {
		trans.RegisterTransSvcServer(registrar, accounts{})
	})
	defer server.Stop()
	server.Start()
}
