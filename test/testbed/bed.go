package testbed

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/restmapper"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/standins/ack"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/standins/olm"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/standins/webhook"
)

// Bed is one running cluster with its AWS. Its fields are set by Start and
// are not to be changed. Methods may be called at the same time.
type Bed struct {
	Options
	// Dir holds all of the bed's files; Stop removes it.
	Dir string
	// BinDir holds kubectl, for the PATH.
	BinDir string
	// Kubeconfig is the cluster admin's.
	Kubeconfig string
	// ProjectAdmin is the kubeconfig of ProjectUser.
	ProjectAdmin string
	// AWSEndpoint is the URL of IAM, STS and S3.
	AWSEndpoint string

	// Clients with all rights, whose requests are not counted.
	Config  *rest.Config
	Client  kubernetes.Interface
	Dynamic dynamic.Interface

	// AWS orders faults and tells what was asked.
	AWS *AWSControl
	// ACK is the controller's stand-in, nil with NoACK.
	ACK *ack.Controller
	// OLM is the Operator Lifecycle Manager's stand-in, nil outside OpenShift.
	OLM *olm.OLM
	// Webhook is the pod identity webhook's stand-in, nil where there is none.
	Webhook *webhook.Webhook

	binaries binaries
	python   string
	partEnv  []string
	// own is the kubeconfig of the bed's own parts, ownToken the token in it.
	own, ownToken string
	server        string
	// serverFlags are the API server's, to start it again.
	serverFlags []string
	authority   *authority
	mapper      *restmapper.DeferredDiscoveryRESTMapper
	processes   []*process
	standIns    sync.WaitGroup
	living      context.Context
	cancel      context.CancelFunc
	stopOnce    sync.Once
	stopErr     error
	ownLogs     bool
}

// Start builds what is missing and starts a bed. When it fails, or when ctx
// ends before it is done, nothing is left running. The bed itself lives until
// Stop; ctx ending later does not end it.
func Start(ctx context.Context, options Options) (*Bed, error) {
	options, err := options.complete()
	if err != nil {
		return nil, err
	}
	for try := 1; ; try++ {
		b := &Bed{Options: options}
		err := b.begin(ctx)
		if err == nil {
			return b, nil
		}
		again := try < startTries && ctx.Err() == nil && b.portTaken()
		if stopped := b.Stop(); !again || stopped != nil {
			return nil, errors.Join(fmt.Errorf("start test bed (%s): %w", options.Platform, err), stopped)
		}
		options.say("a port was taken by somebody else: starting again: %v", err)
	}
}

func (b *Bed) begin(ctx context.Context) error {
	var err error
	if b.binaries, err = controlPlane(ctx, b.Options); err != nil {
		return err
	}
	if b.python, err = pythonEnv(ctx, b.Options); err != nil {
		return err
	}
	if b.Dir, err = os.MkdirTemp("", "ostoy-testbed-"); err != nil {
		return err
	}
	if b.LogDir == "" {
		b.LogDir, b.ownLogs = filepath.Join(b.Dir, "logs"), true
	}
	b.BinDir = filepath.Join(b.Dir, "bin")
	err = errors.Join(os.MkdirAll(b.LogDir, 0o755), os.MkdirAll(b.BinDir, 0o755),
		os.Symlink(b.binaries["kubectl"], filepath.Join(b.BinDir, "kubectl")))
	if err != nil {
		return err
	}
	b.say("starting a %s cluster", b.Platform)
	for _, step := range []func(context.Context) error{
		func(context.Context) error { return b.writeFiles() },
		b.startAWS, b.startAPI, b.connect, b.furnish, b.awaitAWS, b.controllerRole, b.startStandIns, b.startOLM, b.installController, b.settle,
	} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	b.say("ready")
	return nil
}

// Stop ends everything the bed started, by process id, and removes its files.
// It may be called more than once. Logs in a LogDir of the caller's stay.
func (b *Bed) Stop() error {
	b.stopOnce.Do(func() { b.stopErr = b.end() })
	return b.stopErr
}

func (b *Bed) end() error {
	if b.cancel != nil {
		b.cancel()
	}
	b.standIns.Wait()
	// Last started, first stopped: the API server outlives its clients and
	// etcd the API server.
	for i := len(b.processes) - 1; i >= 0; i-- {
		b.processes[i].stop()
	}
	if b.Dir == "" {
		return nil
	}
	return os.RemoveAll(b.Dir)
}
