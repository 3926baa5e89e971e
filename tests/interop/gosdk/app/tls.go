package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"
	"strings"

	"github.com/dtm-labs/client/dtmcli"
	"github.com/dtm-labs/client/dtmgrpc"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
)

// Calls the coordinator over TLS. The SDK itself does so for an https URL, with the authorities of
// the system. Over gRPC it has no setting for TLS, so its calls are made on another connection.
// (docs/security.md shows a part of this code.)
func useTLS(dtm, ca, shown string) error {
	text, err := os.ReadFile(ca)
	if err != nil {
		return err
	}
	config := &tls.Config{RootCAs: x509.NewCertPool()}
	if !config.RootCAs.AppendCertsFromPEM(text) {
		return fmt.Errorf("%s: no certificate", ca)
	}
	if shown != "" {
		pair, err := tls.LoadX509KeyPair(shown, shown)
		if err != nil {
			return err
		}
		config.Certificates = []tls.Certificate{pair}
	}
	if strings.HasPrefix(dtm, "https:") {
		dtmcli.GetRestyClient().SetTLSClientConfig(config)
		return nil
	}
	secure, err := grpc.Dial(dtm, grpc.WithTransportCredentials(credentials.NewTLS(config)))
	if err != nil {
		return err
	}
	dtmgrpc.AddUnaryInterceptor(func(ctx context.Context, method string, request, reply any,
		conn *grpc.ClientConn, invoke grpc.UnaryInvoker, options ...grpc.CallOption) error {
		if strings.HasPrefix(method, "/dtmgimp.Dtm/") {
			return secure.Invoke(ctx, method, request, reply, options...)
		}
		return invoke(ctx, method, request, reply, conn, options...)
	})
	return nil
}
