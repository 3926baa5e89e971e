// The application: it finds the coordinator and submits one transaction through the official SDK.
package main

import (
	"flag"
	"fmt"
	"os"
	"strings"

	"github.com/dtm-labs/client/dtmgrpc"
	"github.com/dtm-labs/dtmdriver"
	_ "github.com/dtm-labs/dtmdriver-gozero"
	"github.com/zeromicro/go-zero/core/discov"
	"github.com/zeromicro/go-zero/zrpc"

	"concerto.test/gozero/trans"
)

func fail(what string, err error) {
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", what, err)
		os.Exit(1)
	}
}

// The address of trans.rpc as the coordinator uses it: a registry's key, or host and port.
func busiServer(etcd, direct string) (string, error) {
	if etcd == "" {
		return direct, nil
	}
	config := zrpc.RpcClientConf{
		Etcd: discov.EtcdConf{Hosts: strings.Split(etcd, ","), Key: "trans.rpc"},
	}
	return config.BuildTarget()
}

func main() {
	dtmServer := flag.String("dtm", "", "the coordinator: host:port or etcd://hosts/key")
	etcd := flag.String("etcd", "", "etcd hosts of trans.rpc")
	direct := flag.String("direct", "", "address of trans.rpc, without -etcd")
	mode := flag.String("mode", "msg", "msg or saga")
	amount := flag.Int64("amount", 30, "cents")
	flag.Parse()

	fail("use driver", dtmdriver.Use("dtm-driver-gozero"))
	busi, err := busiServer(*etcd, *direct)
	fail("target of trans.rpc", err)
	service := busi + "/trans.TransSvc/"
	from := &trans.AdjustInfo{Amount: *amount, UserId: 1}
	to := &trans.AdjustInfo{Amount: *amount, UserId: 2}

	gid := dtmgrpc.MustGenGid(*dtmServer)
	fmt.Printf("gid %s\n", gid)
	switch *mode {
	case "msg":
		msg := dtmgrpc.NewMsgGrpc(*dtmServer, gid).
			Add(service+"TransOut", from).
			Add(service+"TransIn", to)
		msg.WaitResult = true
		err = msg.Submit()
	case "saga":
		saga := dtmgrpc.NewSagaGrpc(*dtmServer, gid).
			Add(service+"TransOut", service+"TransOutRevert", from).
			Add(service+"TransIn", service+"TransInRevert", to)
		saga.WaitResult = true
		err = saga.Submit()
	default:
		err = fmt.Errorf("unknown mode %q", *mode)
	}
	fail("submit", err)
	fmt.Println("submitted and done")
}
