package main

import (
	"context"
	"fmt"
	"path"
	"strings"
	"sync"

	"github.com/dtm-labs/client/dtmgrpc"
	"github.com/dtm-labs/client/dtmgrpc/dtmgpb"
	"github.com/dtm-labs/dtmdriver"
	"github.com/go-resty/resty/v2"
	"google.golang.org/grpc"
)

// Named points of the program at which a test can hold it, to kill it there or to let it go on
// later. Everybody who comes to a point that is held waits until the point is released.
type holds struct {
	mutex sync.Mutex
	gates map[string]chan struct{}
}

func newHolds(points []string) *holds {
	h := &holds{gates: map[string]chan struct{}{}}
	for _, point := range points {
		h.hold(point)
	}
	return h
}

func (h *holds) hold(point string) {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	if h.gates[point] == nil {
		h.gates[point] = make(chan struct{})
	}
}

func (h *holds) releaseAll() {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	for point, gate := range h.gates {
		close(gate)
		delete(h.gates, point)
	}
}

func (h *holds) reach(point string) {
	h.mutex.Lock()
	gate := h.gates[point]
	h.mutex.Unlock()
	if gate != nil {
		fmt.Println("holding", point)
		<-gate
	}
}

// Makes a point of each request that the SDK sends to the coordinator: `submit`,
// `registerBranch:01:action`...
func (h *holds) watchRequests() {
	dtmdriver.Middlewares.HTTP = append(dtmdriver.Middlewares.HTTP,
		func(_ *resty.Client, request *resty.Request) error {
			body, _ := request.Body.(map[string]string)
			h.reach(requestPoint(request.URL, body["branch_id"], body["op"]))
			return nil
		})
	dtmgrpc.AddUnaryInterceptor(func(ctx context.Context, method string, request, reply interface{},
		connection *grpc.ClientConn, invoke grpc.UnaryInvoker, options ...grpc.CallOption) error {
		body, _ := request.(*dtmgpb.DtmBranchRequest)
		h.reach(requestPoint(method, body.GetBranchID(), body.GetData()["op"]))
		return invoke(ctx, method, request, reply, connection, options...)
	})
}

func requestPoint(address, branchID, op string) string {
	name := path.Base(address)
	point := strings.ToLower(name[:1]) + name[1:]
	if branchID != "" {
		point += ":" + branchID + ":" + op
	}
	return point
}
