// One transaction through the official SDK, with branches of its own: what a test looks at are the
// calls that the branches print, and how the transaction ended for its caller.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"
	"sync/atomic"

	"github.com/dtm-labs/client/dtmcli"
	"github.com/dtm-labs/client/workflow"
)

// What the SDK does alike over each of its protocols. A branch named fail refuses its first call.
type wire interface {
	serve()
	saga(gid string, branches []string) error
	tcc(gid string, branches []string) error
	topic(gid, topic string) error
	executeWorkflow(name, gid string) error
}

// Prints a call; false when the branch refuses it.
func called(op, branchID, name string) bool {
	fmt.Printf("call %s %s %s\n", op, branchID, name)
	return name != "fail" || (op != "try" && op != "action")
}

var workflowRuns int32

// The steps a and b, each with its way back. Named after what is to happen: the step b of `fail`
// refuses, and the first run of `resume` breaks off before it.
func workflowSteps(wf *workflow.Workflow, _ []byte) error {
	run := atomic.AddInt32(&workflowRuns, 1)
	for _, name := range []string{"a", "b"} {
		step := name
		if step == "b" && wf.Name == "resume" && run == 1 {
			return errors.New("the application breaks off")
		}
		branch := wf.NewBranch().OnRollback(func(*dtmcli.BranchBarrier) error {
			fmt.Printf("undo %s\n", step)
			return nil
		})
		_, err := branch.Do(func(*dtmcli.BranchBarrier) ([]byte, error) {
			fmt.Printf("do %s\n", step)
			if step == "b" && wf.Name == "fail" {
				return nil, dtmcli.ErrFailure
			}
			return []byte(step), nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func run(w wire, scenario, gid string) error {
	mode, what, _ := strings.Cut(scenario, ":")
	switch mode {
	case "saga":
		return w.saga(gid, strings.Split(what, ","))
	case "tcc":
		return w.tcc(gid, strings.Split(what, ","))
	case "topic":
		return w.topic(gid, what)
	case "workflow":
		soon := func(wf *workflow.Workflow) { wf.RetryInterval = 1 }
		if err := workflow.Register(what, workflowSteps, soon); err != nil {
			return err
		}
		return w.executeWorkflow(what, gid)
	}
	return fmt.Errorf("unknown scenario %q", scenario)
}

func main() {
	protocol := flag.String("wire", "http", "http, json-rpc or grpc")
	dtm := flag.String("dtm", "", "the coordinator, as the SDK names it")
	listen := flag.String("listen", "", "address of the branches")
	scenario := flag.String("scenario", "", "saga:a,b tcc:a,b topic:name workflow:name")
	gid := flag.String("gid", "", "of the transaction")
	flag.Parse()

	var w wire
	switch *protocol {
	case "http", "json-rpc":
		w = &httpWire{protocol: *protocol, dtm: *dtm, listen: *listen}
	case "grpc":
		w = &grpcWire{dtm: *dtm, listen: *listen}
	default:
		fmt.Fprintf(os.Stderr, "unknown wire %q\n", *protocol)
		os.Exit(2)
	}
	w.serve()
	if err := run(w, *scenario, *gid); err != nil {
		fmt.Printf("result: %s\n", strings.ReplaceAll(err.Error(), "\n", " "))
	} else {
		fmt.Println("result: ok")
	}
	select {} // The branches are called until the test ends the process.
}
