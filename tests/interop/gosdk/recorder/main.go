// Notes every request that a client of the protocol sends, and answers as a script says. It stands
// in for the coordinator and for the branches, over HTTP, JSON-RPC and gRPC. What the coordinator
// is asked can also go on to a real one. `POST /control/script` takes a script and returns where
// the branches are; `GET /control/requests?gid=..` returns the requests of a transaction.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"sync"
)

// For requests of the coordinator the name is the operation, such as `registerBranch`; for calls of
// branches it is the last part of the URL.
type request struct {
	To      string              `json:"to"`   // coordinator or branch
	Kind    string              `json:"kind"` // http, json-rpc or grpc
	Name    string              `json:"name"`
	Method  string              `json:"method,omitempty"`
	Target  string              `json:"target"` // the path and the query, or the method of gRPC
	Headers map[string][]string `json:"headers"`
	Body    string              `json:"body"`              // as it came; of gRPC, in base64
	Message json.RawMessage     `json:"message,omitempty"` // what gRPC asked of the coordinator
}

// How the requests of one transaction are answered: words by name, each used once, and the last one
// for all that follow. Without a word: ok.
type script struct {
	Gid     string              `json:"gid"`
	Answers map[string][]string `json:"answers"`
	Apart   bool                `json:"apart"` // its branches have ports of their own
}

type addresses struct {
	HTTP string `json:"http"`
	Grpc string `json:"grpc"`
}

type recorder struct {
	coordinatorHTTP string // requests go on there; nothing: they are answered here
	coordinatorGrpc string
	addresses       addresses
	serveHTTP       func(net.Listener) error
	serveGrpc       func(net.Listener) error
	mutex           sync.Mutex
	scripts         map[string]map[string][]string
	requests        map[string][]request
}

// Notes the request and returns the word for its answer.
func (r *recorder) take(gid string, noted request) string {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	r.requests[gid] = append(r.requests[gid], noted)
	words := r.scripts[gid][noted.Name]
	if len(words) == 0 {
		return "ok"
	}
	if len(words) > 1 {
		r.scripts[gid][noted.Name] = words[1:]
	}
	return words[0]
}

func (r *recorder) setScript(out http.ResponseWriter, in *http.Request) {
	var given script
	if err := json.NewDecoder(in.Body).Decode(&given); err != nil {
		http.Error(out, err.Error(), http.StatusBadRequest)
		return
	}
	r.mutex.Lock()
	r.scripts[given.Gid] = given.Answers
	r.requests[given.Gid] = []request{}
	r.mutex.Unlock()
	at := r.addresses
	if given.Apart {
		at = r.listen("127.0.0.1:0", "127.0.0.1:0")
	}
	_ = json.NewEncoder(out).Encode(at)
}

func (r *recorder) showRequests(out http.ResponseWriter, in *http.Request) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	_ = json.NewEncoder(out).Encode(r.requests[in.URL.Query().Get("gid")])
}

func (r *recorder) listen(httpAddress, grpcAddress string) addresses {
	overHTTP, overGrpc := listen(httpAddress), listen(grpcAddress)
	go r.serveHTTP(overHTTP)
	go r.serveGrpc(overGrpc)
	return addresses{overHTTP.Addr().String(), overGrpc.Addr().String()}
}

func listen(address string) net.Listener {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	return listener
}

func main() {
	r := &recorder{scripts: map[string]map[string][]string{}, requests: map[string][]request{}}
	httpAddress := flag.String("http", "", "address for HTTP and JSON-RPC")
	grpcAddress := flag.String("grpc", "", "address for gRPC")
	flag.StringVar(&r.coordinatorHTTP, "coordinator-http", "", "a real coordinator: http://host:port")
	flag.StringVar(&r.coordinatorGrpc, "coordinator-grpc", "", "a real coordinator: host:port")
	flag.Parse()
	r.serveHTTP, r.serveGrpc = r.httpServer(), r.grpcServer()
	r.addresses = r.listen(*httpAddress, *grpcAddress)
	fmt.Println("ready")
	select {}
}
