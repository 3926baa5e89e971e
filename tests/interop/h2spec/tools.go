//go:build tools

// Names the program that the test builds, so that go.mod says which version of it.
package tools

import _ "github.com/summerwind/h2spec/cmd/h2spec"
