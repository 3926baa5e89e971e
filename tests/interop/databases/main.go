// A bank whose accounts are in a database, built with the official SDK. It serves the branches of
// transactions, under the SDK's barriers or XA, and can start one transaction itself. A test looks
// at the accounts, and holds the program at points of its choice.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"strings"

	"google.golang.org/grpc"
)

// One change of an account. A branch gets it as payload.
type order struct {
	Account string `json:"account"`
	Amount  int    `json:"amount"`
	Refuse  bool   `json:"refuse,omitempty"` // before the barrier is reached
}

type branch struct {
	order
	At       string `json:"at"`        // the bank that serves the branch, or
	ActionAt string `json:"action_at"` // another address for the first call only
	Kind     string `json:"kind"`      // in a workflow: saga, tcc or xa
}

type transaction struct {
	Mode          string   `json:"mode"`
	Gid           string   `json:"gid"`
	Local         order    `json:"local"`    // a message's local transaction,
	QueryAt       string   `json:"query_at"` // and who answers how it ended
	Branches      []branch `json:"branches"`
	TimeoutToFail int64    `json:"timeout_to_fail"`
	RetryLimit    int64    `json:"retry_limit"`
}

// What the SDK does in the same way over each of its protocols.
type wire interface {
	serve(*participant)
	url(at string) string
	saga(*transaction) error
	tcc(*transaction) error
	xa(*transaction) error
	msg(*transaction, localAction) error
}

func (b *branch) actionAt() string {
	if b.ActionAt != "" {
		return b.ActionAt
	}
	return b.At
}

func run(w wire, p *participant, t *transaction) error {
	switch t.Mode {
	case "saga":
		return w.saga(t)
	case "tcc":
		return w.tcc(t)
	case "xa":
		return w.xa(t)
	case "msg":
		return w.msg(t, p.local(t.Local))
	case "workflow":
		return executeWorkflow(t)
	}
	return fmt.Errorf("unknown mode %q", t.Mode)
}

func main() {
	wireName := flag.String("wire", "http", "http or grpc, for the program's own transaction")
	dtmHTTP := flag.String("dtm-http", "", "the coordinator's HTTP interface")
	dtmGrpc := flag.String("dtm-grpc", "", "the coordinator's gRPC address")
	listenHTTP := flag.String("http", "", "address of the branches over HTTP")
	listenGrpc := flag.String("grpc", "", "address of the branches over gRPC")
	driver := flag.String("driver", "", "mysql, postgres or redis")
	port := flag.Int64("db-port", 0, "port of the database on loopback")
	held := flag.String("hold", "", "points to stop at, separated by commas")
	work := flag.String("run", "", "a transaction as JSON; without it the program only serves")
	flag.Parse()

	bank, err := openBank(*driver, *port)
	exitOn(err)
	p := &participant{bank: bank, holds: newHolds(strings.Split(*held, ","))}
	p.holds.watchRequests()
	overHTTP := &httpWire{dtm: *dtmHTTP, listen: *listenHTTP}
	overGrpc := &grpcWire{dtm: *dtmGrpc, listen: *listenGrpc, server: grpc.NewServer()}
	var own wire = overHTTP
	if *wireName == "grpc" {
		own = overGrpc
	}
	exitOn(initWorkflow(p, *wireName, overHTTP, overGrpc))
	overHTTP.serve(p)
	overGrpc.serve(p)
	fmt.Println("ready")
	if *work != "" {
		t := &transaction{}
		exitOn(json.Unmarshal([]byte(*work), t))
		fmt.Println("result:", text(run(own, p, t)))
	}
	select {} // the branches are called until the test ends the process
}

// An error as one line, or `ok`.
func text(err error) string {
	if err == nil {
		return "ok"
	}
	return strings.ReplaceAll(err.Error(), "\n", " ")
}

func exitOn(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
