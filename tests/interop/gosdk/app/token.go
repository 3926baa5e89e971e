package main

import (
	"context"
	"strings"

	"github.com/dtm-labs/client/dtmcli"
	"github.com/dtm-labs/client/dtmgrpc"
	"github.com/go-resty/resty/v2"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
)

// Sends the token with requests to the coordinator, and only with those: the SDK calls branches
// with the same clients. (docs/security.md shows this code.)
func sendToken(dtm, token string) {
	dtmcli.GetRestyClient().OnBeforeRequest(func(_ *resty.Client, r *resty.Request) error {
		if strings.HasPrefix(r.URL, dtm) {
			r.SetAuthToken(token)
		}
		return nil
	})
	dtmgrpc.AddUnaryInterceptor(func(ctx context.Context, method string, request, reply any,
		conn *grpc.ClientConn, invoke grpc.UnaryInvoker, options ...grpc.CallOption) error {
		if strings.HasPrefix(method, "/dtmgimp.Dtm/") {
			ctx = metadata.AppendToOutgoingContext(ctx, "authorization", "Bearer "+token)
		}
		return invoke(ctx, method, request, reply, conn, options...)
	})
}
