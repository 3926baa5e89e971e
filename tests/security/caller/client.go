package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

// How to reach the coordinator. Requests with the same values share a connection.
type access struct {
	Front   string `json:"front"` // http (JSON-RPC, too) or grpc
	Address string `json:"address"`
	CA      string `json:"ca"`    // nothing: no TLS
	Shown   string `json:"shown"` // file with certificate and key, which is read for each handshake
	From    string `json:"from"`  // the client's own address
}

type request struct {
	access
	Method string `json:"method"` // of HTTP
	Name   string `json:"name"`   // path, or service and method
	Body   []byte `json:"body"`
	Token  string `json:"token"`
}

// What came back. `Failure` says why there is no answer.
type answer struct {
	Code    int    `json:"code"` // status of HTTP or of gRPC
	Text    string `json:"text"`
	Failure string `json:"failure"`
	Server  string `json:"server"` // common name of the server's certificate
}

// Connections with one kind of access.
type client struct {
	access
	http   *http.Client
	grpc   *grpc.ClientConn
	server string // as the last handshake saw it
}

func newClient(a access) (*client, error) {
	c := &client{access: a}
	secure, err := c.tlsConfig()
	if err != nil {
		return nil, err
	}
	dialer := &net.Dialer{}
	if a.From != "" {
		dialer.LocalAddr = &net.TCPAddr{IP: net.ParseIP(a.From)}
	}
	if a.Front == "http" {
		c.http = &http.Client{Timeout: timeLimit, Transport: &http.Transport{
			DialContext: dialer.DialContext, TLSClientConfig: secure}}
		return c, nil
	}
	transport := insecure.NewCredentials()
	if secure != nil {
		transport = credentials.NewTLS(secure)
	}
	c.grpc, err = grpc.Dial("passthrough:///"+a.Address, grpc.WithTransportCredentials(transport),
		grpc.WithContextDialer(func(ctx context.Context, address string) (net.Conn, error) {
			return dialer.DialContext(ctx, "tcp", address)
		}))
	return c, err
}

func (c *client) tlsConfig() (*tls.Config, error) {
	if c.CA == "" {
		return nil, nil
	}
	text, err := os.ReadFile(c.CA)
	if err != nil {
		return nil, err
	}
	config := &tls.Config{ServerName: "localhost", RootCAs: x509.NewCertPool()}
	if !config.RootCAs.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("%s: no certificate", c.CA)
	}
	config.VerifyConnection = func(state tls.ConnectionState) error {
		c.server = state.PeerCertificates[0].Subject.CommonName
		return nil
	}
	if c.Shown != "" {
		// Whatever authorities the server names: it has to refuse the others itself.
		config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			pair, err := tls.LoadX509KeyPair(c.Shown, c.Shown)
			return &pair, err
		}
	}
	return config, nil
}

func (c *client) close() {
	if c.http != nil {
		c.http.CloseIdleConnections()
	} else {
		c.grpc.Close()
	}
}

func (c *client) do(r request) answer {
	result := c.doHTTP
	if c.grpc != nil {
		result = c.doGRPC
	}
	got := result(r)
	got.Server = c.server
	return got
}

func (c *client) doHTTP(r request) answer {
	scheme := "http"
	if c.CA != "" {
		scheme = "https"
	}
	ask, err := http.NewRequest(r.Method, scheme+"://"+c.Address+r.Name, bytes.NewReader(r.Body))
	if err != nil {
		return answer{Failure: err.Error()}
	}
	ask.Header.Set("Content-Type", "application/json")
	if r.Token != "" {
		ask.Header.Set("Authorization", "Bearer "+r.Token)
	}
	got, err := c.http.Do(ask)
	if err != nil {
		return answer{Failure: err.Error()}
	}
	defer got.Body.Close()
	text, err := io.ReadAll(got.Body)
	if err != nil {
		return answer{Failure: err.Error()}
	}
	return answer{Code: got.StatusCode, Text: string(text)}
}

// One message each way; so streams are called, too.
func (c *client) doGRPC(r request) answer {
	ctx, cancel := context.WithTimeout(context.Background(), timeLimit)
	defer cancel()
	if r.Token != "" {
		ctx = metadata.AppendToOutgoingContext(ctx, "authorization", "Bearer "+r.Token)
	}
	var reply []byte
	err := func() error {
		stream, err := c.grpc.NewStream(ctx, &grpc.StreamDesc{ServerStreams: true,
			ClientStreams: true}, "/"+r.Name, grpc.ForceCodec(rawCodec{}))
		if err != nil {
			return err
		}
		if err := stream.SendMsg(r.Body); err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		if err := stream.CloseSend(); err != nil {
			return err
		}
		return stream.RecvMsg(&reply)
	}()
	if err == nil || errors.Is(err, io.EOF) {
		return answer{Text: string(reply)}
	}
	return answer{Code: int(status.Code(err)), Text: status.Convert(err).Message()}
}

// Messages are bytes.
type rawCodec struct{}

func (rawCodec) Name() string                  { return "proto" }
func (rawCodec) Marshal(v any) ([]byte, error) { return v.([]byte), nil }
func (rawCodec) Unmarshal(data []byte, v any) error {
	*v.(*[]byte) = append([]byte{}, data...)
	return nil
}
