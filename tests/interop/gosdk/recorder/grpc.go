package main

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"net"
	"strings"
	"sync"

	"github.com/dtm-labs/client/dtmgrpc/dtmgpb"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

const service = "/dtmgimp.Dtm/"

var grpcAnswers = map[string]error{
	"failure":    status.Error(codes.Aborted, "no money"),
	"ongoing":    status.Error(codes.FailedPrecondition, "not yet"),
	"error":      status.Error(codes.Internal, "out of order"),
	"busy":       status.Error(codes.ResourceExhausted, "too many requests"),
	"oldfailure": status.Error(codes.Aborted, "FAILURE"),
	"oldongoing": status.Error(codes.Aborted, "ONGOING"),
}

// Messages are bytes here.
type rawCodec struct{}

func (rawCodec) Marshal(message interface{}) ([]byte, error) { return *message.(*[]byte), nil }

func (rawCodec) Unmarshal(data []byte, message interface{}) error {
	*message.(*[]byte) = append([]byte(nil), data...)
	return nil
}

func (rawCodec) Name() string { return "raw" }

type grpcSide struct {
	*recorder
	connections sync.Map // by the address of the peer, to be closed in the middle of a call
	coordinator *grpc.ClientConn
}

type keepingListener struct {
	net.Listener
	side *grpcSide
}

func (l keepingListener) Accept() (net.Conn, error) {
	connection, err := l.Listener.Accept()
	if err == nil {
		l.side.connections.Store(connection.RemoteAddr().String(), connection)
	}
	return connection, err
}

func (s *grpcSide) closeConnection(ctx context.Context) {
	from, _ := peer.FromContext(ctx)
	if connection, ok := s.connections.Load(from.Addr.String()); ok {
		connection.(net.Conn).Close()
	}
}

func (r *recorder) grpcServer() func(net.Listener) error {
	side := &grpcSide{recorder: r}
	if r.coordinatorGrpc != "" {
		connection, err := grpc.Dial(r.coordinatorGrpc,
			grpc.WithTransportCredentials(insecure.NewCredentials()),
			grpc.WithDefaultCallOptions(grpc.ForceCodec(rawCodec{})))
		if err != nil {
			panic(err)
		}
		side.coordinator = connection
	}
	server := grpc.NewServer(grpc.ForceServerCodec(rawCodec{}),
		grpc.UnknownServiceHandler(func(_ interface{}, stream grpc.ServerStream) error {
			var request []byte
			if err := stream.RecvMsg(&request); err != nil {
				return err
			}
			method, _ := grpc.MethodFromServerStream(stream)
			reply, err := side.call(stream, method, request)
			if err != nil {
				return err
			}
			return stream.SendMsg(&reply)
		}))
	return func(listener net.Listener) error {
		return server.Serve(keepingListener{listener, side})
	}
}

func (s *grpcSide) call(stream grpc.ServerStream, method string, body []byte) ([]byte, error) {
	ctx := stream.Context()
	headers, _ := metadata.FromIncomingContext(ctx)
	if deadline, ok := ctx.Deadline(); ok && !deadline.IsZero() {
		headers = metadata.Join(headers, metadata.Pairs("grpc-timeout", "some"))
	}
	noted := request{To: "branch", Kind: "grpc", Name: method[strings.LastIndex(method, "/")+1:],
		Target: method, Headers: headers, Body: base64.StdEncoding.EncodeToString(body)}
	gid := strings.Join(headers.Get("dtm-gid"), ",")
	if strings.HasPrefix(method, service) {
		noted.To, noted.Body = "coordinator", ""
		noted.Name = strings.ToLower(noted.Name[:1]) + noted.Name[1:]
		gid, noted.Message = readMessage(noted.Name, body)
	}
	word := s.take(gid, noted)
	if word == "ok" && noted.To == "coordinator" {
		return s.succeed(stream, method, noted.Name, body)
	}
	switch word {
	case "hang":
		<-ctx.Done()
		return nil, status.FromContextError(ctx.Err()).Err()
	case "drop":
		s.closeConnection(ctx)
	}
	reply, _ := proto.Marshal(wrapperspb.String("done"))
	return reply, grpcAnswers[word]
}

func (s *grpcSide) succeed(stream grpc.ServerStream, method, name string, body []byte) (
	reply []byte, err error) {
	if s.coordinator != nil {
		headers, _ := metadata.FromIncomingContext(stream.Context())
		var trailer metadata.MD
		err = s.coordinator.Invoke(metadata.NewOutgoingContext(stream.Context(), onward(headers)),
			method, &body, &reply, grpc.Trailer(&trailer))
		stream.SetTrailer(onward(trailer))
		return reply, err
	}
	switch name {
	case "newGid":
		return proto.Marshal(&dtmgpb.DtmGidReply{Gid: "new-gid"})
	case "prepareWorkflow":
		return proto.Marshal(&dtmgpb.DtmProgressesReply{
			Transaction: &dtmgpb.DtmTransaction{Status: "prepared"}})
	}
	return nil, nil
}

// Without what the transport adds itself.
func onward(headers metadata.MD) metadata.MD {
	kept := metadata.MD{}
	for key, values := range headers {
		if !strings.HasPrefix(key, ":") && key != "content-type" && key != "user-agent" {
			kept[key] = values
		}
	}
	return kept
}

// The gid, and the message as JSON. Fields that the message does not have are shown as `unknown`.
func readMessage(name string, body []byte) (string, json.RawMessage) {
	var gid string
	var message proto.Message
	var err error
	switch name {
	case "newGid":
		message = &emptypb.Empty{}
		err = proto.Unmarshal(body, message)
	case "registerBranch":
		branch := &dtmgpb.DtmBranchRequest{}
		err = proto.Unmarshal(body, branch)
		gid, message = branch.Gid, branch
	default:
		trans := &dtmgpb.DtmRequest{}
		err = proto.Unmarshal(body, trans)
		gid, message = trans.Gid, trans
	}
	if err == nil && len(message.ProtoReflect().GetUnknown()) == 0 {
		text, _ := protojson.Marshal(message)
		return gid, text
	}
	text, _ := json.Marshal(map[string][]byte{"unknown": body})
	return gid, text
}
