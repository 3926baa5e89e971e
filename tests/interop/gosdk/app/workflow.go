package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/dtm-labs/client/dtmcli"
	"github.com/dtm-labs/client/workflow"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

const workflowName = "transfer"

func registerWorkflow(options dtmcli.TransOptions) {
	custom := func(wf *workflow.Workflow) { wf.TransOptions = options }
	if err := workflow.Register2(workflowName, workflowSteps, custom); err != nil {
		panic(err)
	}
}

// Executes the workflow twice. The second time, the coordinator already has its result.
func executeWorkflow(t *transaction) error {
	data, _ := json.Marshal(t.Branches)
	result, err := workflow.ExecuteCtx(context.Background(), workflowName, t.Gid, data)
	if err != nil {
		return err
	}
	again, err := workflow.ExecuteCtx(context.Background(), workflowName, t.Gid, data)
	if err == nil && string(again) != string(result) {
		err = fmt.Errorf("the result was %q, and is %q now", result, again)
	}
	return err
}

// Whoever resumes the workflow has only its data: the branches.
func workflowSteps(wf *workflow.Workflow, data []byte) ([]byte, error) {
	var branches []branch
	if err := json.Unmarshal(data, &branches); err != nil {
		return nil, err
	}
	for _, each := range branches {
		b := each
		step := wf.NewBranch()
		if b.Rollback != "" {
			step.OnRollback(func(barrier *dtmcli.BranchBarrier) error {
				return phase2(wf, barrier, b, b.Rollback)
			})
		}
		if b.Commit != "" {
			step.OnCommit(func(barrier *dtmcli.BranchBarrier) error {
				return phase2(wf, barrier, b, b.Commit)
			})
		}
		if err := action(wf, b); err != nil {
			return nil, err
		}
	}
	return []byte(fmt.Sprintf("%d branches are done", len(branches))), nil
}

// A URL `local` or `local-failure` is not a URL, but a step in the application itself.
func action(wf *workflow.Workflow, b branch) error {
	if !strings.HasPrefix(b.Action, "local") {
		return call(wf, b, b.Action)
	}
	_, err := wf.Do(func(barrier *dtmcli.BranchBarrier) ([]byte, error) {
		return []byte(b.Name), local(barrier, b, b.Action)
	})
	return err
}

func phase2(wf *workflow.Workflow, barrier *dtmcli.BranchBarrier, b branch, url string) error {
	if strings.HasPrefix(url, "local") {
		return local(barrier, b, url)
	}
	return call(wf, b, url)
}

func local(barrier *dtmcli.BranchBarrier, b branch, url string) error {
	fmt.Printf("local %s %s %s\n", barrier.Op, barrier.BranchID, b.Name)
	if strings.HasSuffix(url, "-failure") {
		return fmt.Errorf("no money %w", dtmcli.ErrFailure)
	}
	return nil
}

// The SDK records the result of a call as a step.
func call(wf *workflow.Workflow, b branch, url string) error {
	if strings.HasPrefix(url, "http://") {
		_, err := wf.NewRequest().SetBody(payload(b)).Post(url)
		return err
	}
	target, method, _ := strings.Cut(url, "/")
	connection, err := grpc.Dial(target, grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithUnaryInterceptor(workflow.Interceptor))
	if err != nil {
		return err
	}
	defer connection.Close()
	reply := &wrapperspb.StringValue{}
	return connection.Invoke(wf.Context, "/"+method, message(b), reply)
}
