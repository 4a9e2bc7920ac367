// Package main is the control plane of the test bed in one executable: etcd,
// kube-apiserver, kube-controller-manager, kube-scheduler, kubectl and kwok.
//
// The command is the name it was started by (a link named kubectl is kubectl)
// or else its first argument. One executable instead of six keeps the build
// near ten minutes, because the six share nearly everything they link.
//
// It adds nothing to the commands it holds, and it constructs only the one
// that was asked for: two of them in one process would both claim the signal
// handler, and the second would panic.
package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	// Time zones of CronJobs, JSON logs and client metrics, as the released
	// executables have them.
	_ "time/tzdata"

	_ "k8s.io/component-base/logs/json/register"
	_ "k8s.io/component-base/metrics/prometheus/clientgo"
	_ "k8s.io/component-base/metrics/prometheus/version"
)

// usageExit is the exit code for a call that names no command.
const usageExit = 2

func main() {
	name, args, ok := choose(os.Args)
	if !ok {
		fmt.Fprintf(os.Stderr, "usage: controlplane %s [flags]\n", strings.Join(names(), "|"))
		os.Exit(usageExit)
	}
	// The commands read os.Args themselves (kubectl looks for plugins there,
	// the servers let cobra do it), so the first argument has to go.
	os.Args = args
	os.Exit(commands()[name](args))
}

// choose finds the command in the name of the executable or in the first
// argument, and gives back the arguments as that command expects them.
func choose(args []string) (string, []string, bool) {
	name := strings.TrimSuffix(filepath.Base(args[0]), ".exe")
	if slices.Contains(names(), name) {
		return name, args, true
	}
	if len(args) > 1 && slices.Contains(names(), args[1]) {
		return args[1], args[1:], true
	}
	return "", nil, false
}

// names lists the commands in a stable order.
func names() []string {
	var list []string
	for name := range commands() {
		list = append(list, name)
	}
	slices.Sort(list)
	return list
}
