package main

import (
	"fmt"
	"os"

	"github.com/spf13/pflag"
	"go.etcd.io/etcd/server/v3/etcdmain"
	"k8s.io/component-base/cli"
	"k8s.io/component-base/logs"
	kubectl "k8s.io/kubectl/pkg/cmd"
	kubectlutil "k8s.io/kubectl/pkg/cmd/util"
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
	controllers "k8s.io/kubernetes/cmd/kube-controller-manager/app"
	scheduler "k8s.io/kubernetes/cmd/kube-scheduler/app"
	kwokconfig "sigs.k8s.io/kwok/pkg/config"
	kwok "sigs.k8s.io/kwok/pkg/kwok/cmd"
	kwoklog "sigs.k8s.io/kwok/pkg/log"
	kwoksignals "sigs.k8s.io/kwok/pkg/utils/signals"
)

// commands maps each name to the function that constructs the command, runs
// it and returns its exit code.
func commands() map[string]func(args []string) int {
	return map[string]func(args []string) int{
		"etcd":                    runEtcd,
		"kube-apiserver":          func([]string) int { return cli.Run(apiserver.NewAPIServerCommand()) },
		"kube-controller-manager": func([]string) int { return cli.Run(controllers.NewControllerManagerCommand()) },
		"kube-scheduler":          func([]string) int { return cli.Run(scheduler.NewSchedulerCommand()) },
		"kubectl":                 runKubectl,
		"kwok":                    runKwok,
	}
}

// runEtcd starts etcd, which ends the process itself when it fails.
func runEtcd(args []string) int {
	etcdmain.Main(args)
	return 0
}

// runKubectl runs kubectl. Verbosity is read from the arguments before the
// command exists, because constructing it (plugins, kuberc) already logs.
func runKubectl(args []string) int {
	if _, err := logs.GlogSetter(kubectl.GetLogVerbosity(args)); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	if err := cli.RunNoErrOutput(kubectl.NewDefaultKubectlCommand()); err != nil {
		// CheckErr prints the error as users know it and exits.
		kubectlutil.CheckErr(err)
	}
	return 0
}

// runKwok runs kwok. Its log and configuration flags are read ahead of the
// others, by a flag set that overlooks what it does not know.
//
// The global flag set is emptied first: packages of the API server put a
// --version of another type there, and cobra would take that for kwok's.
func runKwok([]string) int {
	pflag.CommandLine = pflag.NewFlagSet("kwok", pflag.ExitOnError)
	flags := pflag.NewFlagSet("global", pflag.ContinueOnError)
	flags.ParseErrorsAllowlist.UnknownFlags = true
	flags.Usage = func() {}

	ctx, logger := kwoklog.InitFlags(kwoksignals.SetupSignalContext(), flags)
	ctx, err := kwokconfig.InitFlags(ctx, flags)
	if err != nil {
		logger.Error("reading the configuration", "err", err)
		return 1
	}
	command := kwok.NewCommand(ctx)
	command.PersistentFlags().AddFlagSet(flags)
	if err := command.ExecuteContext(ctx); err != nil {
		logger.Error("running kwok", "err", err)
		return 1
	}
	return 0
}
