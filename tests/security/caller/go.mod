module concerto.test/caller

go 1.21

require (
	google.golang.org/grpc v1.61.0
	google.golang.org/protobuf v1.33.1-0.20240408130810-98873a205002
)

require (
	github.com/golang/protobuf v1.5.4 // indirect
	golang.org/x/net v0.22.0 // indirect
	golang.org/x/sys v0.18.0 // indirect
	golang.org/x/text v0.14.0 // indirect
	google.golang.org/genproto/googleapis/rpc v0.0.0-20231106174013-bbf56f31fb17 // indirect
)
