package main

import (
	"io"
	"net/http"
	"net/url"

	"github.com/dtm-labs/client/dtmcli"
	"github.com/dtm-labs/client/workflow"
	"github.com/go-resty/resty/v2"
)

type httpWire struct {
	protocol string
	dtm      string
	listen   string
}

func (w *httpWire) branch(name string) string { return "http://" + w.listen + "/busi/" + name }

// Branches under /busi/, and the call that resumes workflows.
func (w *httpWire) serve() {
	mux := http.NewServeMux()
	mux.HandleFunc("/busi/", func(out http.ResponseWriter, in *http.Request) {
		query := in.URL.Query()
		if !called(query.Get("op"), query.Get("branch_id"), in.URL.Path[len("/busi/"):]) {
			out.WriteHeader(http.StatusConflict)
		}
	})
	mux.HandleFunc("/workflow", func(out http.ResponseWriter, in *http.Request) {
		body, _ := io.ReadAll(in.Body)
		code, _ := dtmcli.Result2HttpJSON(resume(in.URL.Query(), body))
		out.WriteHeader(code)
	})
	listen(w.listen, (&http.Server{Handler: mux}).Serve)
	workflow.InitHTTP(w.dtm, "http://"+w.listen+"/workflow")
}

func resume(query url.Values, body []byte) interface{} {
	if err := workflow.ExecuteByQS(query, body); err != nil {
		return err
	}
	return nil
}

func (w *httpWire) saga(gid string, branches []string) error {
	saga := dtmcli.NewSaga(w.dtm, gid)
	saga.Protocol = w.protocol
	saga.WaitResult = true
	for _, name := range branches {
		saga.Add(w.branch(name), w.branch(name), map[string]string{"name": name})
	}
	return saga.Submit()
}

func (w *httpWire) tcc(gid string, branches []string) error {
	custom := func(tcc *dtmcli.Tcc) {
		tcc.Protocol = w.protocol
		tcc.WaitResult = true
	}
	try := func(tcc *dtmcli.Tcc) (*resty.Response, error) {
		for _, name := range branches {
			url := w.branch(name)
			response, err := tcc.CallBranch(map[string]string{"name": name}, url, url, url)
			if err != nil {
				return response, err
			}
		}
		return nil, nil
	}
	return dtmcli.TccGlobalTransaction2(w.dtm, gid, custom, try)
}

func (w *httpWire) topic(gid, topic string) error {
	msg := dtmcli.NewMsg(w.dtm, gid).AddTopic(topic, map[string]string{"name": topic})
	msg.Protocol = w.protocol
	msg.WaitResult = true
	return msg.Submit()
}

func (w *httpWire) executeWorkflow(name, gid string) error {
	return workflow.Execute(name, gid, []byte(`{"amount":30}`))
}
