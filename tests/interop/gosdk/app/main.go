// Makes one transaction through the official SDK, as its JSON describes. The program prints how the
// transaction ended for its caller. It keeps running only if it must listen for workflows to be
// resumed.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"strings"

	"github.com/dtm-labs/client/dtmcli"
)

// The URLs of one branch. A mode uses those of its own ops; a msg may have a topic instead.
type branch struct {
	Name       string `json:"name"`
	Action     string `json:"action"`
	Compensate string `json:"compensate"`
	Try        string `json:"try"`
	Confirm    string `json:"confirm"`
	Cancel     string `json:"cancel"`
	Commit     string `json:"commit"`
	Rollback   string `json:"rollback"`
	Topic      string `json:"topic"`
}

type transaction struct {
	Mode       string              `json:"mode"`
	Gid        string              `json:"gid"` // nothing: a new one from the coordinator
	Branches   []branch            `json:"branches"`
	Options    dtmcli.TransOptions `json:"options"`
	Protocol   string              `json:"protocol"` // the protocol of the branches, over HTTP
	CustomData string              `json:"custom_data"`
	Orders     map[int][]int       `json:"orders"`
	Delay      uint64              `json:"delay"`
	Query      string              `json:"query"` // of a msg, which is then prepared first
	Work       string              `json:"work"`  // what the work between prepare and submit does
}

// What the SDK does in the same way over each of its protocols.
type wire interface {
	serve(listen string)
	saga(t *transaction) error
	tcc(t *transaction) error
	msg(t *transaction) error
	xa(t *transaction) error
	newGid() string
}

func (t *transaction) run(w wire) error {
	switch t.Mode {
	case "saga":
		return w.saga(t)
	case "tcc":
		return w.tcc(t)
	case "msg":
		return w.msg(t)
	case "xa":
		return w.xa(t)
	case "workflow":
		return executeWorkflow(t)
	}
	return fmt.Errorf("unknown mode %q", t.Mode)
}

// The application's own work, while the transaction is prepared.
func (t *transaction) doWork() error {
	switch t.Work {
	case "stop": // until the test kills the program
		fmt.Println("stopped")
		select {}
	case "failure":
		return fmt.Errorf("no money %w", dtmcli.ErrFailure)
	case "error":
		return fmt.Errorf("was it committed?")
	}
	return nil
}

func main() {
	protocol := flag.String("wire", "http", "http, json-rpc or grpc")
	dtm := flag.String("dtm", "", "the coordinator, as the SDK names it")
	ca := flag.String("ca", "", "the authority of the coordinator's certificate: TLS is used")
	shown := flag.String("shown", "", "this program's certificate with its key, for the coordinator")
	listen := flag.String("listen", "", "where workflows are resumed")
	token := flag.String("token", "", "the coordinator's, if it wants one")
	text := flag.String("transaction", "", "JSON; nothing: workflows are resumed only")
	flag.Parse()

	if *token != "" {
		sendToken(*dtm, *token)
	}
	if *ca != "" {
		if err := useTLS(*dtm, *ca, *shown); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(2)
		}
	}
	var w wire
	switch *protocol {
	case "http", "json-rpc":
		w = &httpWire{protocol: *protocol, dtm: *dtm}
	case "grpc":
		w = &grpcWire{dtm: *dtm}
	default:
		fmt.Fprintf(os.Stderr, "unknown wire %q\n", *protocol)
		os.Exit(2)
	}
	var t transaction
	if *text != "" {
		if err := json.Unmarshal([]byte(*text), &t); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(2)
		}
	}
	if *listen != "" {
		registerWorkflow(t.Options)
		w.serve(*listen)
		fmt.Println("ready")
	}
	if *text != "" {
		if t.Gid == "" {
			t.Gid = w.newGid()
		}
		if err := t.run(w); err != nil {
			fmt.Printf("result: %s\n", strings.ReplaceAll(err.Error(), "\n", " "))
		} else {
			fmt.Println("result: ok")
		}
	}
	if *listen != "" {
		select {}
	}
}
