package main

import (
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/dtm-labs/client/dtmcli"
	"github.com/dtm-labs/client/dtmcli/dtmimp"
	"github.com/dtm-labs/client/workflow"
)

const workflowName = "transfer"

// The coordinator's first call to resume comes after this time, whether or not the first run has
// ended. A program that lives should have ended its run by then.
const firstResumeAfterS = 3

// Call it before anything is served, because the coordinator may call at once. Callbacks use one
// protocol per process.
func initWorkflow(p *participant, wireName string, overHTTP *httpWire, overGrpc *grpcWire) error {
	if wireName == "grpc" {
		workflow.InitGrpc(overGrpc.dtm, overGrpc.listen, overGrpc.server)
	} else {
		workflow.InitHTTP(overHTTP.dtm, "http://"+overHTTP.listen+"/workflow")
	}
	return workflow.Register(workflowName, func(wf *workflow.Workflow, data []byte) error {
		t := &transaction{}
		if err := json.Unmarshal(data, t); err != nil {
			return err
		}
		for i := range t.Branches {
			if err := p.step(wf.NewBranch(), &t.Branches[i]); err != nil {
				return err
			}
		}
		return nil
	}, func(wf *workflow.Workflow) { wf.RetryInterval = firstResumeAfterS })
}

func executeWorkflow(t *transaction) error {
	return workflow.Execute(workflowName, t.Gid, dtmimp.MustMarshal(t))
}

// One branch of a workflow, in this process. Points: `<account>:begin`, and `<account>:done` before
// the step is recorded.
func (p *participant) step(wf *workflow.Workflow, b *branch) error {
	p.holds.reach(b.Account + ":begin")
	bank := p.bank.(*sqlBank)
	under := func(op string) workflow.WfPhase2Func {
		return func(barrier *dtmcli.BranchBarrier) error {
			fmt.Println("step", barrier.BranchID, op)
			return bank.adjust(barrier, op, b.order)
		}
	}
	do := func(op string) error {
		_, err := wf.Do(func(barrier *dtmcli.BranchBarrier) ([]byte, error) {
			err := under(op)(barrier)
			p.holds.reach(b.Account + ":done")
			return nil, err
		})
		return err
	}
	switch b.Kind {
	case "saga":
		wf.OnRollback(under("compensate"))
		return do("action")
	case "tcc":
		wf.OnCommit(under("confirm")).OnRollback(under("cancel"))
		return do("try")
	case "xa":
		return bank.stepInXa(wf, b.order)
	}
	return fmt.Errorf("unknown kind %q", b.Kind)
}

func (b *sqlBank) stepInXa(wf *workflow.Workflow, o order) error {
	session := int64(0)
	_, err := wf.DoXa(b.conf, func(db *sql.DB) ([]byte, error) {
		return nil, b.changeInXa(db, o, &session)
	})
	return errors.Join(err, b.awaitEnd(session))
}
