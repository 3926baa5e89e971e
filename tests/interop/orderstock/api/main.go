// The shop's entry, a go-zero REST service: POST /orders creates an order and takes it from the
// stock, in one saga of the official SDK that is awaited.
package main

import (
	"flag"
	"fmt"
	"net/http"

	"github.com/dtm-labs/client/dtmcli/dtmimp"
	"github.com/dtm-labs/client/dtmgrpc"
	"github.com/dtm-labs/dtmdriver"
	_ "github.com/dtm-labs/dtmdriver-gozero"
	"github.com/dtm-labs/logger"
	"github.com/zeromicro/go-zero/core/conf"
	"github.com/zeromicro/go-zero/rest"
	"github.com/zeromicro/go-zero/rest/httpx"
	"github.com/zeromicro/go-zero/zrpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"concerto.test/orderstock/pb"
)

type config struct {
	rest.RestConf
	// the address at which the coordinator has registered itself
	Dtm      string
	OrderRpc zrpc.RpcClientConf
	StockRpc zrpc.RpcClientConf
}

// The times are in seconds. 0: the coordinator's own.
type orderRequest struct {
	ProductID      string `json:"product_id"`
	Quantity       int64  `json:"quantity"`
	RequestTimeout int64  `json:"request_timeout,optional"`
	RetryInterval  int64  `json:"retry_interval,optional"`
	TimeoutToFail  int64  `json:"timeout_to_fail,optional"`
}

type orderAnswer struct {
	Gid   string `json:"gid,omitempty"`
	Error string `json:"error,omitempty"`
}

type shop struct {
	dtm, order, stock string
}

// The SDK's only other way to get a gid panics on errors.
func (s shop) newGid() (gid string, err error) {
	defer dtmimp.P2E(&err)
	return dtmgrpc.MustGenGid(s.dtm), nil
}

// The gid is also the id of the order.
func (s shop) placeOrder(gid string, request *orderRequest) error {
	fmt.Printf("order %s\n", gid)
	info := &pb.OrderInfo{
		OrderId: gid, ProductId: request.ProductID, Quantity: request.Quantity,
	}
	saga := dtmgrpc.NewSagaGrpc(s.dtm, gid).
		Add(s.order+"/pb.Order/Create", s.order+"/pb.Order/Cancel", info).
		Add(s.stock+"/pb.Stock/Deduct", s.stock+"/pb.Stock/Restore", info)
	saga.WaitResult = true
	saga.RequestTimeout = request.RequestTimeout
	saga.RetryInterval = request.RetryInterval
	saga.TimeoutToFail = request.TimeoutToFail
	return saga.Submit()
}

// 200: the order is valid. 409: it is not, or not yet. 502: the outcome is unknown. 429: not
// placed.
func (s shop) handleOrder(w http.ResponseWriter, r *http.Request) {
	var request orderRequest
	if err := httpx.Parse(r, &request); err != nil {
		httpx.Error(w, err)
		return
	}
	gid, err := s.newGid()
	if err != nil {
		httpx.WriteJson(w, http.StatusTooManyRequests, orderAnswer{Error: err.Error()})
		return
	}
	err = s.placeOrder(gid, &request)
	switch status.Code(err) {
	case codes.OK:
		httpx.OkJson(w, orderAnswer{Gid: gid})
	case codes.Aborted:
		httpx.WriteJson(w, http.StatusConflict, orderAnswer{Gid: gid, Error: err.Error()})
	default:
		httpx.WriteJson(w, http.StatusBadGateway, orderAnswer{Gid: gid, Error: err.Error()})
	}
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

func main() {
	file := flag.String("f", "", "go-zero configuration of the service")
	flag.Parse()
	var c config
	conf.MustLoad(*file, &c)
	logger.InitLog("error")

	must(dtmdriver.Use("dtm-driver-gozero"))
	order, err := c.OrderRpc.BuildTarget()
	must(err)
	stock, err := c.StockRpc.BuildTarget()
	must(err)
	s := shop{dtm: c.Dtm, order: order, stock: stock}
	// Opens the connection now, because go-zero's resolver cannot cope with many first calls at once.
	_, err = s.newGid()
	must(err)

	server := rest.MustNewServer(c.RestConf)
	defer server.Stop()
	server.AddRoute(rest.Route{Method: http.MethodPost, Path: "/orders", Handler: s.handleOrder})
	server.Start()
}
