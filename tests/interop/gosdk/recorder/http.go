package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
)

var httpAnswers = map[string]struct {
	status int
	body   string
}{
	"ok":         {http.StatusOK, `{"dtm_result":"SUCCESS"}`},
	"failure":    {http.StatusConflict, "no money"},
	"ongoing":    {http.StatusTooEarly, "not yet"},
	"error":      {http.StatusInternalServerError, "out of order"},
	"busy":       {http.StatusServiceUnavailable, "too many requests"},
	"oldfailure": {http.StatusOK, `{"dtm_result":"FAILURE"}`},
	"oldongoing": {http.StatusOK, `{"dtm_result":"ONGOING"}`},
}

// The answers to operations that succeed, where they say more than that.
var replies = map[string]string{
	"newGid":          `{"dtm_result":"SUCCESS","gid":"new-gid"}`,
	"prepareWorkflow": `{"transaction":{"status":"prepared"},"progresses":[]}`,
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

func (r *recorder) httpServer() func(net.Listener) error {
	mux := http.NewServeMux()
	mux.HandleFunc("/control/script", r.setScript)
	mux.HandleFunc("/control/requests", r.showRequests)
	mux.HandleFunc("/api/dtmsvr/", r.operation)
	mux.HandleFunc("/api/json-rpc", r.rpc)
	mux.HandleFunc("/busi/", r.branch)
	return (&http.Server{Handler: mux}).Serve
}

func noted(in *http.Request, to, kind, name string, body []byte) request {
	headers := map[string][]string{}
	for key, values := range in.Header {
		headers[strings.ToLower(key)] = values
	}
	if len(in.TransferEncoding) > 0 {
		headers["transfer-encoding"] = in.TransferEncoding
	}
	return request{To: to, Kind: kind, Name: name, Method: in.Method, Target: in.RequestURI,
		Headers: headers, Body: string(body)}
}

func (r *recorder) operation(out http.ResponseWriter, in *http.Request) {
	body, _ := io.ReadAll(in.Body)
	name := in.URL.Path[len("/api/dtmsvr/"):]
	var fields struct {
		Gid string `json:"gid"`
	}
	_ = json.Unmarshal(body, &fields)
	r.askHTTP(out, in, body, fields.Gid, noted(in, "coordinator", "http", name, body))
}

func (r *recorder) rpc(out http.ResponseWriter, in *http.Request) {
	body, _ := io.ReadAll(in.Body)
	var fields struct {
		Method string `json:"method"`
		Params struct {
			Gid string `json:"gid"`
		} `json:"params"`
	}
	_ = json.Unmarshal(body, &fields)
	r.askHTTP(out, in, body, fields.Params.Gid,
		noted(in, "coordinator", "json-rpc", fields.Method, body))
}

func (r *recorder) askHTTP(out http.ResponseWriter, in *http.Request, body []byte, gid string,
	noted request) {
	word := r.take(gid, noted)
	switch {
	case word == "ok" && r.coordinatorHTTP != "":
		r.forwardHTTP(out, in, body)
	case word == "ok" && noted.Kind == "http" && replies[noted.Name] != "":
		out.Header().Set("Content-Type", "application/json")
		fmt.Fprint(out, replies[noted.Name])
	case noted.Kind == "json-rpc" && (word == "ok" || rpcErrors[word] != nil):
		answerRPC(out, "no-use", word)
	default:
		answerHTTP(out, in, word)
	}
}

func (r *recorder) forwardHTTP(out http.ResponseWriter, in *http.Request, body []byte) {
	onward, err := http.NewRequestWithContext(in.Context(), in.Method,
		r.coordinatorHTTP+in.RequestURI, bytes.NewReader(body))
	if err != nil {
		panic(err)
	}
	onward.Header = in.Header.Clone()
	answer, err := http.DefaultTransport.RoundTrip(onward)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	defer answer.Body.Close()
	for key, values := range answer.Header {
		out.Header()[key] = values
	}
	out.WriteHeader(answer.StatusCode)
	_, _ = io.Copy(out, answer.Body)
}

// Branches over HTTP and JSON-RPC: `/busi/name`, with `?method=name` for JSON-RPC.
func (r *recorder) branch(out http.ResponseWriter, in *http.Request) {
	body, _ := io.ReadAll(in.Body)
	name := in.URL.Path[len("/busi/"):]
	if gid := in.URL.Query().Get("gid"); gid != "" {
		answerHTTP(out, in, r.take(gid, noted(in, "branch", "http", name, body)))
		return
	}
	var fields struct {
		ID     string `json:"id"`
		Params struct {
			Gid string `json:"gid"`
		} `json:"params"`
	}
	_ = json.Unmarshal(body, &fields)
	word := r.take(fields.Params.Gid, noted(in, "branch", "json-rpc", name, body))
	if word != "ok" && rpcErrors[word] == nil {
		answerHTTP(out, in, word)
		return
	}
	answerRPC(out, fields.ID, word)
}

// The SDK reads the body of JSON-RPC only if the type of its content says so.
func answerRPC(out http.ResponseWriter, id, word string) {
	out.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(out).Encode(map[string]interface{}{
		"jsonrpc": "2.0", "id": id, "error": rpcErrors[word], "result": nil})
}

func answerHTTP(out http.ResponseWriter, in *http.Request, word string) {
	switch word {
	case "hang":
		<-in.Context().Done()
		fallthrough
	case "drop":
		panic(http.ErrAbortHandler) // closes the connection
	}
	out.WriteHeader(httpAnswers[word].status)
	fmt.Fprint(out, httpAnswers[word].body)
}
