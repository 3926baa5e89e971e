// grpc-go as a client and as a server over TLS, for the tests of run.py.
//
//	grpcgo call -ca ca.pem -name localhost -address 127.0.0.1:1234 -bytes 3000000
//	grpcgo serve -certificate server.pem -key server.key
package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"flag"
	"fmt"
	"net"
	"os"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/health"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

const (
	echoService = "concerto.test.Echo"
	echoMethod  = "/" + echoService + "/Echo"
	timeLimit   = 20 * time.Second
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(arguments []string) error {
	if len(arguments) > 0 && arguments[0] == "call" {
		return callAll(arguments[1:])
	}
	if len(arguments) > 0 && arguments[0] == "serve" {
		return serve(arguments[1:])
	}
	return errors.New("usage: grpcgo call|serve [options]")
}

// Makes each kind of call once, on one connection. An error is printed with its code.
func callAll(arguments []string) error {
	flags := flag.NewFlagSet("call", flag.ExitOnError)
	address := flags.String("address", "", "of the server")
	ca := flags.String("ca", "", "file with the certificate of the authority")
	name := flags.String("name", "", "that the server's certificate must have")
	bytes := flags.Int("bytes", 0, "of the message that is echoed")
	_ = flags.Parse(arguments)

	text, err := os.ReadFile(*ca)
	if err != nil {
		return err
	}
	authorities := x509.NewCertPool()
	if !authorities.AppendCertsFromPEM(text) {
		return fmt.Errorf("%s: no certificate", *ca)
	}
	connection, err := grpc.Dial(*address,
		grpc.WithTransportCredentials(credentials.NewClientTLSFromCert(authorities, *name)))
	if err != nil {
		return err
	}
	defer connection.Close()
	ctx, cancel := context.WithTimeout(context.Background(), timeLimit)
	defer cancel()
	for _, call := range []func(context.Context, *grpc.ClientConn) error{
		checkHealth, callUnknownMethod, watchHealth,
	} {
		if err := call(ctx, connection); err != nil {
			return err
		}
	}
	return echo(ctx, connection, *bytes)
}

func checkHealth(ctx context.Context, connection *grpc.ClientConn) error {
	var from peer.Peer
	reply, err := grpc_health_v1.NewHealthClient(connection).Check(ctx,
		&grpc_health_v1.HealthCheckRequest{}, grpc.Peer(&from))
	if err != nil {
		return err
	}
	security, isTLS := from.AuthInfo.(credentials.TLSInfo)
	if !isTLS {
		return errors.New("the connection does not use TLS")
	}
	fmt.Println("health", reply.Status, "over", security.State.NegotiatedProtocol)
	return nil
}

func callUnknownMethod(ctx context.Context, connection *grpc.ClientConn) error {
	var reply wrapperspb.BytesValue
	err := connection.Invoke(ctx, "/"+echoService+"/None", &wrapperspb.BytesValue{}, &reply)
	if status.Code(err) != codes.Unimplemented {
		return fmt.Errorf("an unknown method ends with %v", err)
	}
	fmt.Println("unknown method", status.Code(err))
	return nil
}

func watchHealth(ctx context.Context, connection *grpc.ClientConn) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	watch, err := grpc_health_v1.NewHealthClient(connection).Watch(ctx,
		&grpc_health_v1.HealthCheckRequest{})
	if err != nil {
		return err
	}
	reply, err := watch.Recv()
	if err != nil {
		return err
	}
	fmt.Println("watch", reply.Status)
	return nil
}

func echo(ctx context.Context, connection *grpc.ClientConn, bytes int) error {
	text := strings.Repeat("0123456789", bytes/10)
	var reply wrapperspb.BytesValue
	err := connection.Invoke(ctx, echoMethod, wrapperspb.Bytes([]byte(text)), &reply)
	if err != nil {
		return err
	}
	if string(reply.Value) != text {
		return errors.New("the echo differs from what was sent")
	}
	fmt.Println("echo", len(reply.Value))
	return nil
}

// Serves health checks and the echo until the program is killed.
func serve(arguments []string) error {
	flags := flag.NewFlagSet("serve", flag.ExitOnError)
	certificate := flags.String("certificate", "", "file with the server's certificate")
	key := flags.String("key", "", "file with the key of the certificate")
	_ = flags.Parse(arguments)

	pair, err := tls.LoadX509KeyPair(*certificate, *key)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	server := grpc.NewServer(grpc.Creds(credentials.NewServerTLSFromCert(&pair)))
	grpc_health_v1.RegisterHealthServer(server, health.NewServer())
	server.RegisterService(&echoDescription, nil)
	fmt.Println("gRPC", listener.Addr().(*net.TCPAddr).Port)
	return server.Serve(listener)
}

// What protoc would write for a service with one method.
var echoDescription = grpc.ServiceDesc{
	ServiceName: echoService,
	Methods:     []grpc.MethodDesc{{MethodName: "Echo", Handler: answerEcho}},
}

func answerEcho(_ any, _ context.Context, decode func(any) error,
	_ grpc.UnaryServerInterceptor) (any, error) {
	message := new(wrapperspb.BytesValue)
	err := decode(message)
	return message, err
}
