package main

import (
	"context"
	"net"
	"strings"

	"github.com/dtm-labs/client/dtmcli"
	"github.com/dtm-labs/client/dtmgrpc"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

var grpcAnswers = map[string]error{
	"failure":    status.Error(codes.Aborted, "no money"),
	"ongoing":    status.Error(codes.FailedPrecondition, "not yet"),
	"error":      status.Error(codes.Internal, "out of order"),
	"oldfailure": status.Error(codes.Aborted, dtmcli.ResultFailure),
	"oldongoing": status.Error(codes.Aborted, dtmcli.ResultOngoing),
}

// Messages are bytes here: a branch must get the bytes that were given to the SDK.
type rawCodec struct{}

func (rawCodec) Marshal(message interface{}) ([]byte, error) {
	return *message.(*[]byte), nil
}

func (rawCodec) Unmarshal(data []byte, message interface{}) error {
	*message.(*[]byte) = append([]byte(nil), data...)
	return nil
}

func (rawCodec) Name() string { return "raw" }

// The name of the called method is the name of a branch.
func (p *participant) serveGrpc(listener net.Listener) {
	server := grpc.NewServer(grpc.ForceServerCodec(rawCodec{}),
		grpc.UnknownServiceHandler(func(_ interface{}, stream grpc.ServerStream) error {
			var request []byte
			if err := stream.RecvMsg(&request); err != nil {
				return err
			}
			path, _ := grpc.MethodFromServerStream(stream)
			reply, err := p.method(stream.Context(), path, request)
			if err != nil {
				return err
			}
			return stream.SendMsg(&reply)
		}))
	_ = server.Serve(listener)
}

func (p *participant) method(ctx context.Context, path string, request []byte) ([]byte, error) {
	received, _ := metadata.FromIncomingContext(ctx)
	first := func(key string) string { return strings.Join(received.Get(key), ",") }
	answer := p.take(call{
		Kind: "grpc", Gid: first("dtm-gid"), TransType: first("dtm-trans_type"),
		BranchID: first("dtm-branch_id"), Op: first("dtm-op"), Payload: string(request),
		Shop: first("x-shop"),
	}, path[strings.LastIndex(path, "/")+1:])
	if answer == "nest" {
		if err := p.nestGrpc(ctx); err != nil {
			return nil, err
		}
	}
	reply, _ := proto.Marshal(wrapperspb.String("done"))
	return reply, grpcAnswers[answer]
}

// The try of a branch that has two branches of its own.
func (p *participant) nestGrpc(ctx context.Context) error {
	tcc, err := dtmgrpc.TccFromGrpc(ctx)
	for _, name := range []string{"inner", "innermost"} {
		if err == nil {
			url := p.grpcAddress + "/busi.Busi/" + name
			err = tcc.CallBranch(wrapperspb.String(name), url, url, url, &emptypb.Empty{})
		}
	}
	return err
}
