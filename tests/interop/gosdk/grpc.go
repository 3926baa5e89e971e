package main

import (
	"context"

	"github.com/dtm-labs/client/dtmcli"
	"github.com/dtm-labs/client/dtmgrpc"
	"github.com/dtm-labs/client/workflow"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

type grpcWire struct {
	dtm    string
	listen string
}

func (w *grpcWire) branch() string { return w.listen + "/busi.Busi/Call" }

func first(ctx context.Context, key string) string {
	received, _ := metadata.FromIncomingContext(ctx)
	if values := received.Get(key); len(values) > 0 {
		return values[0]
	}
	return ""
}

// The one method of the branches: the message is the branch's name.
func call(_ interface{}, ctx context.Context, decode func(interface{}) error,
	_ grpc.UnaryServerInterceptor) (interface{}, error) {
	name := &wrapperspb.StringValue{}
	if err := decode(name); err != nil {
		return nil, err
	}
	if !called(first(ctx, "dtm-op"), first(ctx, "dtm-branch_id"), name.Value) {
		return nil, status.Error(codes.Aborted, dtmcli.ResultFailure)
	}
	return &emptypb.Empty{}, nil
}

func (w *grpcWire) serve() {
	server := grpc.NewServer()
	server.RegisterService(&grpc.ServiceDesc{
		ServiceName: "busi.Busi",
		HandlerType: (*interface{})(nil),
		Methods:     []grpc.MethodDesc{{MethodName: "Call", Handler: call}},
	}, struct{}{})
	workflow.InitGrpc(w.dtm, w.listen, server)
	listen(w.listen, server.Serve)
}

func (w *grpcWire) saga(gid string, branches []string) error {
	saga := dtmgrpc.NewSagaGrpc(w.dtm, gid)
	saga.WaitResult = true
	for _, name := range branches {
		saga.Add(w.branch(), w.branch(), wrapperspb.String(name))
	}
	return saga.Submit()
}

func (w *grpcWire) tcc(gid string, branches []string) error {
	custom := func(tcc *dtmgrpc.TccGrpc) { tcc.WaitResult = true }
	return dtmgrpc.TccGlobalTransaction2(w.dtm, gid, custom, func(tcc *dtmgrpc.TccGrpc) error {
		for _, name := range branches {
			reply := &emptypb.Empty{}
			err := tcc.CallBranch(wrapperspb.String(name), w.branch(), w.branch(), w.branch(), reply)
			if err != nil {
				return err
			}
		}
		return nil
	})
}

func (w *grpcWire) topic(gid, topic string) error {
	msg := dtmgrpc.NewMsgGrpc(w.dtm, gid).AddTopic(topic, wrapperspb.String(topic))
	msg.WaitResult = true
	return msg.Submit()
}

func (w *grpcWire) executeWorkflow(name, gid string) error {
	return workflow.Execute(name, gid, []byte("\x08\x1e"))
}
