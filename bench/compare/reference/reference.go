//go:build reference

// Package reference names the server that bench/compare measures beside concertod, so that go.mod
// and go.sum pin it and everything it needs. It is never built: `go build github.com/dtm-labs/dtm`
// in this directory is.
package reference

import _ "github.com/dtm-labs/dtm"
