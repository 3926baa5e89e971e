package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"

	"github.com/dtm-labs/client/dtmcli"
	"github.com/dtm-labs/client/workflow"
	"github.com/go-resty/resty/v2"
)

type httpWire struct {
	protocol string // of the API: http or json-rpc
	dtm      string
}

func payload(b branch) map[string]string { return map[string]string{"name": b.Name} }

// Sets what all modes have: how the SDK talks to the coordinator, and the options.
func (w *httpWire) set(base *dtmcli.TransOptions, protocol *string, t *transaction) {
	*base = t.Options
	*protocol = w.protocol
	if t.Protocol != "" {
		*protocol = t.Protocol
	}
}

func (w *httpWire) newGid() string { return dtmcli.MustGenGid(w.dtm) }

func (w *httpWire) saga(t *transaction) error {
	saga := dtmcli.NewSaga(w.dtm, t.Gid)
	w.set(&saga.TransOptions, &saga.Protocol, t)
	saga.CustomData = t.CustomData
	for _, b := range t.Branches {
		saga.Add(b.Action, b.Compensate, payload(b))
	}
	for step, earlier := range t.Orders {
		saga.AddBranchOrder(step, earlier)
	}
	return saga.Submit()
}

func (w *httpWire) tcc(t *transaction) error {
	custom := func(tcc *dtmcli.Tcc) {
		w.set(&tcc.TransOptions, &tcc.Protocol, t)
		tcc.CustomData = t.CustomData
	}
	try := func(tcc *dtmcli.Tcc) (*resty.Response, error) {
		for _, b := range t.Branches {
			response, err := tcc.CallBranch(payload(b), b.Try, b.Confirm, b.Cancel)
			if err != nil {
				return response, err
			}
		}
		return nil, t.doWork()
	}
	return dtmcli.TccGlobalTransaction2(w.dtm, t.Gid, custom, try)
}

func (w *httpWire) xa(t *transaction) error {
	custom := func(xa *dtmcli.Xa) {
		w.set(&xa.TransOptions, &xa.Protocol, t)
		xa.CustomData = t.CustomData
	}
	calls := func(xa *dtmcli.Xa) (*resty.Response, error) {
		for _, b := range t.Branches {
			if response, err := xa.CallBranch(payload(b), b.Action); err != nil {
				return response, err
			}
		}
		return nil, t.doWork()
	}
	return dtmcli.XaGlobalTransaction2(w.dtm, t.Gid, custom, calls)
}

func (w *httpWire) msg(t *transaction) error {
	msg := dtmcli.NewMsg(w.dtm, t.Gid)
	w.set(&msg.TransOptions, &msg.Protocol, t)
	msg.CustomData = t.CustomData
	msg.SetDelay(t.Delay)
	for _, b := range t.Branches {
		if b.Topic != "" {
			msg.AddTopic(b.Topic, payload(b))
		} else {
			msg.Add(b.Action, payload(b))
		}
	}
	if t.Query == "" {
		return msg.Submit()
	}
	return msg.DoAndSubmit(t.Query, func(*dtmcli.BranchBarrier) error { return t.doWork() })
}

func (w *httpWire) serve(address string) {
	workflow.InitHTTP(w.dtm, "http://"+address+"/workflow")
	mux := http.NewServeMux()
	mux.HandleFunc("/workflow", func(out http.ResponseWriter, in *http.Request) {
		body, _ := io.ReadAll(in.Body)
		fmt.Printf("resume %s %s\n", in.Method, in.Header.Get("X-Shop"))
		var result interface{}
		if err := workflow.ExecuteByQS(in.URL.Query(), body); err != nil {
			result = err
		}
		code, _ := dtmcli.Result2HttpJSON(result)
		out.WriteHeader(code)
	})
	go http.Serve(listen(address), mux)
}

func listen(address string) net.Listener {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	return listener
}
