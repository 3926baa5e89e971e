package main

import (
	"crypto/tls"
	"crypto/x509"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/keepalive"
)

const (
	callsOfAConnection = 5 // over HTTP
	ageOfAConnection   = 300 * time.Millisecond
)

// Serves branches that succeed, over HTTP and gRPC, to clients with a certificate. The files are
// read for each handshake, and no connection gets old.
func serve(arguments []string) error {
	flags := flag.NewFlagSet("serve", flag.ExitOnError)
	shown := flags.String("shown", "", "file with the certificate and its key")
	ca := flags.String("ca", "", "file with the authorities of clients")
	_ = flags.Parse(arguments)

	config := &tls.Config{GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) {
		return branchConfig(*shown, *ca)
	}}
	listeners := [2]net.Listener{}
	for i := range listeners {
		var err error
		if listeners[i], err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
			return err
		}
	}
	var calls atomic.Int64
	http1 := http.HandlerFunc(func(out http.ResponseWriter, in *http.Request) {
		if calls.Add(1)%callsOfAConnection == 0 {
			out.Header().Set("Connection", "close")
		}
		fmt.Fprint(out, `{"dtm_result":"SUCCESS"}`)
	})
	go http.Serve(tls.NewListener(listeners[0], config), http1)

	server := grpc.NewServer(grpc.Creds(credentials.NewTLS(config)),
		grpc.KeepaliveParams(keepalive.ServerParameters{MaxConnectionAge: ageOfAConnection}),
		grpc.ForceServerCodec(rawCodec{}),
		grpc.UnknownServiceHandler(func(_ any, stream grpc.ServerStream) error {
			var message []byte
			if err := stream.RecvMsg(&message); err != nil && err != io.EOF {
				return err
			}
			return stream.SendMsg([]byte{})
		}))
	fmt.Println("HTTP", port(listeners[0]), "gRPC", port(listeners[1]))
	return server.Serve(listeners[1])
}

func port(listener net.Listener) int { return listener.Addr().(*net.TCPAddr).Port }

func branchConfig(shown, ca string) (*tls.Config, error) {
	pair, err := tls.LoadX509KeyPair(shown, shown)
	if err != nil {
		return nil, err
	}
	text, err := os.ReadFile(ca)
	if err != nil {
		return nil, err
	}
	config := &tls.Config{Certificates: []tls.Certificate{pair}, ClientCAs: x509.NewCertPool(),
		ClientAuth: tls.RequireAndVerifyClientCert, NextProtos: []string{"h2", "http/1.1"}}
	config.ClientCAs.AppendCertsFromPEM(text)
	config.VerifyConnection = func(state tls.ConnectionState) error {
		fmt.Println("client", state.PeerCertificates[0].Subject.CommonName)
		return nil
	}
	return config, nil
}
