// A participant of transactions, with branches over HTTP, JSON-RPC and gRPC. Every call is printed
// as a line of JSON. The name of a branch says how it answers: `b-ongoing-ok` answers ongoing to
// the first call, and success to all that follow.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"net"
	"os"
	"os/signal"
	"strings"
	"sync"
	"syscall"
)

// A call of a branch, as it came in.
type call struct {
	Kind      string `json:"kind"` // http, json-rpc or grpc
	Method    string `json:"method,omitempty"`
	Gid       string `json:"gid"`
	TransType string `json:"trans_type"`
	BranchID  string `json:"branch_id"`
	Op        string `json:"op"`
	Name      string `json:"name"`
	Payload   string `json:"payload"`
	Shop      string `json:"shop"` // the header or metadata of that name
}

type participant struct {
	httpAddress string
	grpcAddress string
	healthy     bool          // all answers are `ok`
	released    chan struct{} // closed when held calls may go on
	mutex       sync.Mutex
	counts      map[call]int
}

// Prints a call of `name`, the name in the URL, and returns the word for its answer. Calls that are
// to be held stay in here.
func (p *participant) take(c call, name string) string {
	words := strings.Split(name, "-")
	c.Name = words[0]
	line, _ := json.Marshal(c)
	p.mutex.Lock()
	fmt.Printf("call %s\n", line)
	key := call{Gid: c.Gid, BranchID: c.BranchID, Op: c.Op, Name: c.Name}
	p.counts[key]++
	count := p.counts[key]
	p.mutex.Unlock()

	if p.healthy || len(words) == 1 {
		return "ok"
	}
	answer := words[min(count, len(words)-1)]
	switch answer {
	case "hold":
		<-p.released
		return "ok"
	case "hang":
		select {}
	}
	return answer
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
	p := &participant{released: make(chan struct{}), counts: map[call]int{}}
	flag.StringVar(&p.httpAddress, "http", "", "address for HTTP and JSON-RPC")
	flag.StringVar(&p.grpcAddress, "grpc", "", "address for gRPC")
	flag.BoolVar(&p.healthy, "healthy", false, "answer success to every call")
	flag.Parse()

	release := make(chan os.Signal, 1)
	signal.Notify(release, syscall.SIGUSR1)
	go func() {
		<-release
		close(p.released)
	}()
	go p.serveHTTP(listen(p.httpAddress))
	go p.serveGrpc(listen(p.grpcAddress))
	fmt.Println("ready")
	select {}
}
