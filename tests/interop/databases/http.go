package main

import (
	"database/sql"
	"encoding/json"
	"io"
	"net/http"
	"net/url"

	"github.com/dtm-labs/client/dtmcli"
	"github.com/dtm-labs/client/workflow"
	"github.com/go-resty/resty/v2"
)

type httpWire struct {
	dtm    string
	listen string
}

func (w *httpWire) url(at string) string { return "http://" + at + "/bank" }

// Serves branches, the calls that resume workflows, and the test's own requests.
func (w *httpWire) serve(p *participant) {
	mux := http.NewServeMux()
	mux.HandleFunc("/bank", answer(func(query url.Values, body []byte) error {
		return handleHTTP(p, query, body)
	}))
	mux.HandleFunc("/workflow", answer(workflow.ExecuteByQS))
	mux.HandleFunc("/hold", answer(func(query url.Values, _ []byte) error {
		p.holds.hold(query.Get("point"))
		return nil
	}))
	mux.HandleFunc("/release", answer(func(url.Values, []byte) error {
		p.holds.releaseAll()
		return nil
	}))
	listen(w.listen, (&http.Server{Handler: mux}).Serve)
}

func answer(handle func(url.Values, []byte) error) http.HandlerFunc {
	return func(out http.ResponseWriter, in *http.Request) {
		body, err := io.ReadAll(in.Body)
		if err == nil {
			err = handle(in.URL.Query(), body)
		}
		var result interface{} = dtmcli.MapSuccess
		if err != nil {
			result = err
		}
		code, reply := dtmcli.Result2HttpJSON(result)
		out.WriteHeader(code)
		_ = json.NewEncoder(out).Encode(reply)
	}
}

func handleHTTP(p *participant, query url.Values, body []byte) error {
	barrier, err := dtmcli.BarrierFromQuery(query)
	if err != nil {
		return err
	}
	c := &call{barrier: barrier}
	c.xa = func(conf dtmcli.DBConf, change func(*sql.DB) error) error {
		return dtmcli.XaLocalTransaction(query, conf, func(db *sql.DB, _ *dtmcli.Xa) error {
			return change(db)
		})
	}
	if len(body) > 0 {
		if err := json.Unmarshal(body, &c.order); err != nil {
			return err
		}
	}
	return p.handle(c)
}

func (w *httpWire) saga(t *transaction) error {
	saga := dtmcli.NewSaga(w.dtm, t.Gid)
	saga.TimeoutToFail = t.TimeoutToFail
	saga.RetryLimit = t.RetryLimit
	for _, b := range t.Branches {
		saga.Add(w.url(b.actionAt()), w.url(b.At), b.order)
	}
	return saga.Submit()
}

func (w *httpWire) tcc(t *transaction) error {
	custom := func(tcc *dtmcli.Tcc) { tcc.TimeoutToFail = t.TimeoutToFail }
	tries := func(tcc *dtmcli.Tcc) (*resty.Response, error) {
		for _, b := range t.Branches {
			url := w.url(b.At)
			if response, err := tcc.CallBranch(b.order, w.url(b.actionAt()), url, url); err != nil {
				return response, err
			}
		}
		return nil, nil
	}
	return dtmcli.TccGlobalTransaction2(w.dtm, t.Gid, custom, tries)
}

func (w *httpWire) xa(t *transaction) error {
	custom := func(xa *dtmcli.Xa) { xa.TimeoutToFail = t.TimeoutToFail }
	calls := func(xa *dtmcli.Xa) (*resty.Response, error) {
		for _, b := range t.Branches {
			if response, err := xa.CallBranch(b.order, w.url(b.At)); err != nil {
				return response, err
			}
		}
		return nil, nil
	}
	return dtmcli.XaGlobalTransaction2(w.dtm, t.Gid, custom, calls)
}

func (w *httpWire) msg(t *transaction, local localAction) error {
	msg := dtmcli.NewMsg(w.dtm, t.Gid)
	msg.TimeoutToFail = t.TimeoutToFail
	for _, b := range t.Branches {
		msg.Add(w.url(b.At), b.order)
	}
	return msg.DoAndSubmit(w.url(t.QueryAt), local)
}
