package main

import (
	"context"
	"database/sql"
	"encoding/json"

	"github.com/dtm-labs/client/dtmcli"
	"github.com/dtm-labs/client/dtmcli/dtmimp"
	"github.com/dtm-labs/client/dtmgrpc"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

type grpcWire struct {
	dtm    string
	listen string
	server *grpc.Server
}

func (w *grpcWire) url(at string) string { return at + "/bank.Bank/Call" }

// The message is the order as JSON.
func message(o order) *wrapperspb.StringValue {
	return wrapperspb.String(dtmimp.MustMarshalString(o))
}

func (w *grpcWire) serve(p *participant) {
	call := func(_ interface{}, ctx context.Context, decode func(interface{}) error,
		_ grpc.UnaryServerInterceptor) (interface{}, error) {
		text := &wrapperspb.StringValue{}
		if err := decode(text); err != nil {
			return nil, err
		}
		return &emptypb.Empty{}, dtmgrpc.DtmError2GrpcError(handleGrpc(p, ctx, text.Value))
	}
	w.server.RegisterService(&grpc.ServiceDesc{
		ServiceName: "bank.Bank",
		HandlerType: (*interface{})(nil),
		Methods:     []grpc.MethodDesc{{MethodName: "Call", Handler: call}},
	}, struct{}{})
	listen(w.listen, w.server.Serve)
}

func handleGrpc(p *participant, ctx context.Context, text string) error {
	barrier, err := dtmgrpc.BarrierFromGrpc(ctx)
	if err != nil {
		return err
	}
	c := &call{barrier: barrier}
	c.xa = func(conf dtmcli.DBConf, change func(*sql.DB) error) error {
		return dtmgrpc.XaLocalTransaction(ctx, conf, func(db *sql.DB, _ *dtmgrpc.XaGrpc) error {
			return change(db)
		})
	}
	if text != "" {
		if err := json.Unmarshal([]byte(text), &c.order); err != nil {
			return err
		}
	}
	return p.handle(c)
}

func (w *grpcWire) saga(t *transaction) error {
	saga := dtmgrpc.NewSagaGrpc(w.dtm, t.Gid)
	saga.TimeoutToFail = t.TimeoutToFail
	saga.RetryLimit = t.RetryLimit
	for _, b := range t.Branches {
		saga.Add(w.url(b.actionAt()), w.url(b.At), message(b.order))
	}
	return saga.Submit()
}

func (w *grpcWire) tcc(t *transaction) error {
	custom := func(tcc *dtmgrpc.TccGrpc) { tcc.TimeoutToFail = t.TimeoutToFail }
	return dtmgrpc.TccGlobalTransaction2(w.dtm, t.Gid, custom, func(tcc *dtmgrpc.TccGrpc) error {
		for _, b := range t.Branches {
			url, reply := w.url(b.At), &emptypb.Empty{}
			err := tcc.CallBranch(message(b.order), w.url(b.actionAt()), url, url, reply)
			if err != nil {
				return err
			}
		}
		return nil
	})
}

func (w *grpcWire) xa(t *transaction) error {
	custom := func(xa *dtmgrpc.XaGrpc) { xa.TimeoutToFail = t.TimeoutToFail }
	return dtmgrpc.XaGlobalTransaction2(w.dtm, t.Gid, custom, func(xa *dtmgrpc.XaGrpc) error {
		for _, b := range t.Branches {
			if err := xa.CallBranch(message(b.order), w.url(b.At), &emptypb.Empty{}); err != nil {
				return err
			}
		}
		return nil
	})
}

func (w *grpcWire) msg(t *transaction, local localAction) error {
	msg := dtmgrpc.NewMsgGrpc(w.dtm, t.Gid)
	msg.TimeoutToFail = t.TimeoutToFail
	for _, b := range t.Branches {
		msg.Add(w.url(b.At), message(b.order))
	}
	return msg.DoAndSubmit(w.url(t.QueryAt), local)
}
