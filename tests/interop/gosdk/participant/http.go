package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"

	"github.com/dtm-labs/client/dtmcli"
)

// The HTTP form of each answer. The old answers have a meaning by their body alone.
var httpAnswers = map[string]struct {
	status int
	body   string
}{
	"ok":         {http.StatusOK, `{"dtm_result":"SUCCESS"}`},
	"failure":    {http.StatusConflict, "no money"},
	"ongoing":    {http.StatusTooEarly, "not yet"},
	"error":      {http.StatusInternalServerError, "out of order"},
	"oldfailure": {http.StatusOK, `{"dtm_result":"FAILURE"}`},
	"oldongoing": {http.StatusOK, `{"dtm_result":"ONGOING"}`},
}

func (p *participant) serveHTTP(listener net.Listener) {
	mux := http.NewServeMux()
	mux.HandleFunc("/busi/", p.branch)
	mux.HandleFunc("/json-rpc", p.jsonRPC)
	_ = http.Serve(listener, mux)
}

func (p *participant) branch(out http.ResponseWriter, in *http.Request) {
	p.plain(out, in, in.URL.Path[len("/busi/"):])
}

func (p *participant) plain(out http.ResponseWriter, in *http.Request, name string) {
	body, _ := io.ReadAll(in.Body)
	query := in.URL.Query()
	answer := p.take(call{
		Kind: "http", Method: in.Method, Gid: query.Get("gid"), TransType: query.Get("trans_type"),
		BranchID: query.Get("branch_id"), Op: query.Get("op"), Payload: string(body),
		Shop: in.Header.Get("X-Shop"),
	}, name)
	if answer == "nest" {
		answer = p.nestHTTP(query)
	}
	out.WriteHeader(httpAnswers[answer].status)
	fmt.Fprint(out, httpAnswers[answer].body)
}

// The try of a branch that has two branches of its own.
func (p *participant) nestHTTP(query url.Values) string {
	tcc, err := dtmcli.TccFromQuery(query)
	for _, name := range []string{"inner", "innermost"} {
		if err == nil {
			url := "http://" + p.httpAddress + "/busi/" + name
			_, err = tcc.CallBranch(map[string]string{"name": name}, url, url, url)
		}
	}
	if err != nil {
		return "error"
	}
	return "ok"
}

type rpcRequest struct {
	ID     string          `json:"id"`
	Method string          `json:"method"`
	Params json.RawMessage `json:"params"`
}

type rpcError struct {
	Code    int    `json:"code"`
	Message string `json:"message"`
}

var rpcErrors = map[string]*rpcError{
	"failure": {-32901, "no money"},
	"ongoing": {-32902, "not yet"},
	"error":   {-32603, "out of order"},
}

// Only a transaction whose protocol is JSON-RPC makes such calls. For others the URL is a plain
// one.
func (p *participant) jsonRPC(out http.ResponseWriter, in *http.Request) {
	if in.URL.Query().Has("gid") {
		p.plain(out, in, in.URL.Query().Get("method"))
		return
	}
	var request rpcRequest
	var params struct {
		Gid       string `json:"gid"`
		TransType string `json:"trans_type"`
		BranchID  string `json:"branch_id"`
		Op        string `json:"op"`
		Name      string `json:"name"`
	}
	err := json.NewDecoder(in.Body).Decode(&request)
	if err == nil {
		err = json.Unmarshal(request.Params, &params)
	}
	if err != nil || request.Method != in.URL.Query().Get("method") || request.ID == "" {
		http.Error(out, "no JSON-RPC request for this URL", http.StatusBadRequest)
		return
	}
	answer := p.take(call{
		Kind: "json-rpc", Method: in.Method, Gid: params.Gid, TransType: params.TransType,
		BranchID: params.BranchID, Op: params.Op, Payload: params.Name,
		Shop: in.Header.Get("X-Shop"),
	}, request.Method)
	_ = json.NewEncoder(out).Encode(map[string]interface{}{
		"jsonrpc": "2.0", "id": request.ID, "error": rpcErrors[answer], "result": nil,
	})
}
