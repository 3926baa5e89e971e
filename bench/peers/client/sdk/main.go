// Begins transactions through the official SDK, for bench/compare/clients.py. The command line and
// what is printed are those of ../client_load.cpp.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/dtm-labs/client/dtmcli"
	"github.com/dtm-labs/client/dtmgrpc"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

type load struct {
	mode, wire, dtm, branches, prefix string

	out, outBack, in, inBack, query string // URLs

	begun, ended atomic.Int64
	stops        atomic.Bool
	failure      atomic.Value // the first one
}

// All gids have the same length, because the reference's embedded store takes the branches of a gid
// for those of another gid that it begins with.
const firstNumber = 1_000_000_000

// 100 bytes each, as the services get them.
var (
	message = wrapperspb.String(strings.Repeat("p", 98))
	object  = json.RawMessage(`{"text":"` + strings.Repeat("p", 89) + `"}`)
)

func (l *load) url(method string) string {
	if l.wire == "grpc" {
		return l.branches + "/bench.Bank/" + method
	}
	return "http://" + l.branches + "/" + method
}

func noWork(*dtmcli.BranchBarrier) error { return nil }

func (l *load) grpc(gid string) error {
	if l.mode == "saga" {
		saga := dtmgrpc.NewSagaGrpc(l.dtm, gid)
		saga.WaitResult = true
		saga.Add(l.out, l.outBack, message)
		saga.Add(l.in, l.inBack, message)
		return saga.Submit()
	}
	msg := dtmgrpc.NewMsgGrpc(l.dtm, gid)
	msg.WaitResult = true
	msg.Add(l.out, message)
	msg.Add(l.in, message)
	return msg.DoAndSubmit(l.query, noWork)
}

func (l *load) http(gid string) error {
	if l.mode == "saga" {
		saga := dtmcli.NewSaga(l.dtm, gid)
		saga.WaitResult = true
		saga.Add(l.out, l.outBack, object)
		saga.Add(l.in, l.inBack, object)
		return saga.Submit()
	}
	msg := dtmcli.NewMsg(l.dtm, gid)
	msg.WaitResult = true
	msg.Add(l.out, object)
	msg.Add(l.in, object)
	return msg.DoAndSubmit(l.query, noWork)
}

func (l *load) beginInTurn() {
	begin := l.http
	if l.wire == "grpc" {
		begin = l.grpc
	}
	for !l.stops.Load() {
		err := begin(l.prefix + strconv.FormatInt(firstNumber+l.begun.Add(1), 10))
		l.ended.Add(1)
		if err != nil {
			l.failure.CompareAndSwap(nil, err.Error())
			l.stops.Store(true)
		}
	}
}

func seconds(count float64) time.Duration { return time.Duration(count * float64(time.Second)) }

func main() {
	var l load
	flag.StringVar(&l.mode, "mode", "saga", "saga or msg")
	flag.StringVar(&l.wire, "wire", "grpc", "grpc or http")
	flag.StringVar(&l.dtm, "dtm", "", "the coordinator, as the SDK names it")
	flag.StringVar(&l.branches, "branches", "", "host:port of the services")
	flag.StringVar(&l.prefix, "prefix", "", "of the gids")
	inFlight := flag.Int("in-flight", 64, "transactions at one time")
	warmUp := flag.Float64("warm-up", 1, "seconds before the measurement")
	measured := flag.Float64("seconds", 5, "seconds of the measurement")
	asItComes := flag.Bool("as-it-comes", false, "HTTP with the few idle connections of the SDK")
	flag.Parse()
	if !*asItComes {
		transport := dtmcli.GetRestyClient().GetClient().Transport.(*http.Transport)
		transport.MaxIdleConns, transport.MaxIdleConnsPerHost = 0, *inFlight
	}
	l.out, l.outBack = l.url("TransOut"), l.url("TransOutBack")
	l.in, l.inBack = l.url("TransIn"), l.url("TransInBack")
	l.query = l.url("Query")

	var transactions sync.WaitGroup
	for i := 0; i < *inFlight; i++ {
		transactions.Add(1)
		go func() {
			defer transactions.Done()
			l.beginInTurn()
		}()
	}
	time.Sleep(seconds(*warmUp))
	before := l.ended.Load()
	fmt.Println("begin")
	time.Sleep(seconds(*measured))
	fmt.Printf("end %d\n", l.ended.Load()-before)
	l.stops.Store(true)
	transactions.Wait()
	failure, _ := l.failure.Load().(string)
	fmt.Printf("done %d %s\n", l.begun.Load(), strings.ReplaceAll(failure, "\n", " "))
	io.Copy(io.Discard, os.Stdin) // the script reads the CPU of the process first
	if failure != "" {
		os.Exit(1)
	}
}
