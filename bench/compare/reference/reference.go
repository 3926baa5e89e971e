//go:build reference

// Package reference names the server that bench/compare measures beside concertod, so that go.mod
// and go.sum pin the server and everything that it needs. The package itself is never built: the
// scripts run `go build github.com/dtm-labs/dtm` in this directory.
package reference

import _ "github.com/dtm-labs/dtm"
