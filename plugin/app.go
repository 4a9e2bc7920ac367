package plugin

import (
	"context"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/cluster"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/iam"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/plain"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/session"
)

// App is the session, with the use cases that are still in this package.
type App struct{ *session.Session }

// Format is an output format; each use case knows its own.
type Format = session.Format

// The formats.
const (
	FormatTable = session.FormatTable
	FormatWide  = session.FormatWide
	FormatYAML  = session.FormatYAML
	FormatJSON  = session.FormatJSON
	FormatJUnit = session.FormatJUnit
)

// FactsRequest says which facts are given and where to look for the others.
type FactsRequest = session.Facts

// ChartRequest is the user's chart values, weakest first.
type ChartRequest = session.Chart

// RoleRequest is what the user wants of the role.
type RoleRequest = iam.RoleOptions

// connector returns Connect for a caller that may not need a connection.
func (a *App) connector(ctx context.Context) func() (*cluster.Conn, error) {
	return func() (*cluster.Conn, error) { return a.Connect(ctx) }
}

func inLine(text string) string { return plain.InLine(text) }

func inLines(texts []string) []string { return plain.InLines(texts) }
