package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/dtm-labs/client/dtmcli"
	"github.com/dtm-labs/client/dtmgrpc"
	"github.com/dtm-labs/client/workflow"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

type grpcWire struct {
	dtm string
}

func message(b branch) *wrapperspb.StringValue { return wrapperspb.String(b.Name) }

func (w *grpcWire) newGid() string { return dtmgrpc.MustGenGid(w.dtm) }

func (w *grpcWire) saga(t *transaction) error {
	saga := dtmgrpc.NewSagaGrpc(w.dtm, t.Gid)
	saga.TransOptions = t.Options
	saga.CustomData = t.CustomData
	for _, b := range t.Branches {
		saga.Add(b.Action, b.Compensate, message(b))
	}
	for step, earlier := range t.Orders {
		saga.AddBranchOrder(step, earlier)
	}
	return saga.Submit()
}

func (w *grpcWire) tcc(t *transaction) error {
	custom := func(tcc *dtmgrpc.TccGrpc) {
		tcc.TransOptions = t.Options
		tcc.CustomData = t.CustomData
	}
	return dtmgrpc.TccGlobalTransaction2(w.dtm, t.Gid, custom, func(tcc *dtmgrpc.TccGrpc) error {
		for _, b := range t.Branches {
			reply := &emptypb.Empty{}
			err := tcc.CallBranch(message(b), b.Try, b.Confirm, b.Cancel, reply)
			if err != nil {
				return err
			}
		}
		return t.doWork()
	})
}

func (w *grpcWire) xa(t *transaction) error {
	custom := func(xa *dtmgrpc.XaGrpc) {
		xa.TransOptions = t.Options
		xa.CustomData = t.CustomData
	}
	return dtmgrpc.XaGlobalTransaction2(w.dtm, t.Gid, custom, func(xa *dtmgrpc.XaGrpc) error {
		for _, b := range t.Branches {
			if err := xa.CallBranch(message(b), b.Action, &emptypb.Empty{}); err != nil {
				return err
			}
		}
		return t.doWork()
	})
}

func (w *grpcWire) msg(t *transaction) error {
	msg := dtmgrpc.NewMsgGrpc(w.dtm, t.Gid)
	msg.TransOptions = t.Options
	msg.CustomData = t.CustomData
	msg.SetDelay(t.Delay)
	for _, b := range t.Branches {
		if b.Topic != "" {
			msg.AddTopic(b.Topic, message(b))
		} else {
			msg.Add(b.Action, message(b))
		}
	}
	if t.Query == "" {
		return msg.Submit()
	}
	return msg.DoAndSubmit(t.Query, func(*dtmcli.BranchBarrier) error { return t.doWork() })
}

func (w *grpcWire) serve(address string) {
	server := grpc.NewServer(grpc.UnaryInterceptor(printResume))
	workflow.InitGrpc(w.dtm, address, server)
	go server.Serve(listen(address))
}

func printResume(ctx context.Context, request interface{}, _ *grpc.UnaryServerInfo,
	handle grpc.UnaryHandler) (interface{}, error) {
	received, _ := metadata.FromIncomingContext(ctx)
	fmt.Printf("resume gRPC %s\n", strings.Join(received.Get("x-shop"), ","))
	return handle(ctx, request)
}
