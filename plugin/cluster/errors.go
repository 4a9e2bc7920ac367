package cluster

import "errors"

// ErrNotConfigured says that there is no kubeconfig at all: no flag names one,
// none is where it usually is, and we do not run inside a cluster. A command
// that can do without a cluster goes on.
var ErrNotConfigured = errors.New("no kubeconfig")
