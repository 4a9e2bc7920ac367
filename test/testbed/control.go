package testbed

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"
)

// startLimit is how long a part may take to answer on a busy machine.
const startLimit = 2 * time.Minute

// start runs a part of the bed in the bed's own, bare environment. Its garbage collector
// may use more memory than usual, which saves a tenth of the processor time.
func (b *Bed) start(name, path string, args ...string) (*process, error) {
	env := []string{"HOME=" + b.Dir, "TMPDIR=" + b.Dir, "PATH=" + os.Getenv("PATH"), "GOGC=400", "GOMEMLIMIT=1GiB"}
	p, err := startProcess(name, b.LogDir, append(env, b.partEnv...), path, args...)
	if err != nil {
		return nil, err
	}
	b.processes = append(b.processes, p)
	return p, nil
}

// startAPI starts etcd and the API server and waits until it is ready.
func (b *Bed) startAPI(ctx context.Context) error {
	ports, err := b.ports(3)
	if err != nil {
		return err
	}
	client, peer := local("http", ports[0]), local("http", ports[1])
	_, err = b.start("etcd", b.binaries["etcd"],
		"--data-dir="+filepath.Join(b.Dir, "etcd"), "--name=default",
		"--listen-client-urls="+client, "--advertise-client-urls="+client,
		"--listen-peer-urls="+peer, "--initial-advertise-peer-urls="+peer,
		"--initial-cluster=default="+peer,
		// The data of a bed need not outlive a power cut.
		"--unsafe-no-fsync=true", "--backend-batch-interval=1s", "--log-level=warn",
	)
	if err != nil {
		return err
	}
	b.server = local("https", ports[2])
	b.serverFlags = b.apiFlags(client, ports[2])
	return b.startServer(ctx)
}

func (b *Bed) startServer(ctx context.Context) error {
	server, err := b.start("kube-apiserver", b.binaries["kube-apiserver"], b.serverFlags...)
	if err != nil {
		return err
	}
	ready, err := b.readyCheck()
	if err != nil {
		return err
	}
	return server.await(ctx, startLimit, b.whileAllRun(ready))
}

// RestartAPIServer stops the API server, calls down, which may be nil, while it
// is gone, and starts it again on the same port and etcd. It returns when the
// server is ready. Not for a bed that other tests use at the same time.
func (b *Bed) RestartAPIServer(ctx context.Context, down func() error) error {
	at := slices.IndexFunc(b.processes, func(p *process) bool { return p.name == "kube-apiserver" })
	b.processes[at].stop()
	b.processes = slices.Delete(b.processes, at, at+1) // a part that ended is a failure, see whileAllRun
	last := len(b.processes)
	var failed error
	if down != nil {
		failed = down()
	}
	err := b.startServer(ctx)
	if len(b.processes) > last { // in the old one's place: the bed stops its parts in order
		started := b.processes[last]
		b.processes = slices.Insert(b.processes[:last], at, started)
	}
	return errors.Join(failed, err)
}

// apiFlags are the API server's: what a server on loopback needs, the issuer of the
// platform, and what aggregation (projects) and audit (request counts) need.
func (b *Bed) apiFlags(etcd string, port int) []string {
	file := func(name string) string { return filepath.Join(b.Dir, name) }
	flags := []string{
		"--etcd-servers=" + etcd,
		"--bind-address=127.0.0.1", "--advertise-address=127.0.0.1", "--secure-port=" + strconv.Itoa(port),
		"--endpoint-reconciler-type=none",
		"--authorization-mode=Node,RBAC",
		"--service-cluster-ip-range=172.30.0.0/16",
		"--cert-dir=" + file("apiserver"),
		"--client-ca-file=" + file("ca.crt"), "--token-auth-file=" + file("tokens.csv"),
		"--tls-cert-file=" + file("server.crt"), "--tls-private-key-file=" + file("server.key"),
		"--service-account-issuer=" + b.Issuer,
		"--service-account-key-file=" + file("sa.pub"),
		"--service-account-signing-key-file=" + file("sa.key"),
		"--api-audiences=" + b.Issuer + ",https://kubernetes.default.svc,sts.amazonaws.com,openshift",
		"--admission-control-config-file=" + file("admission.yaml"),
		"--requestheader-client-ca-file=" + file("ca.crt"),
		"--requestheader-allowed-names=front-proxy",
		"--requestheader-username-headers=X-Remote-User",
		"--requestheader-group-headers=X-Remote-Group",
		"--requestheader-extra-headers-prefix=X-Remote-Extra-",
		"--proxy-client-cert-file=" + file("front-proxy.crt"), "--proxy-client-key-file=" + file("front-proxy.key"),
		"--kubelet-client-certificate=" + file("front-proxy.crt"), "--kubelet-client-key=" + file("front-proxy.key"),
		"--kubelet-preferred-address-types=InternalIP",
		"--audit-policy-file=" + file("audit.yaml"), "--audit-log-path=" + b.auditLog(),
		"--event-ttl=1h",
		// The clients of a bed need no queues.
		"--enable-priority-and-fairness=false",
	}
	if b.NoAdmissionPolicies {
		const group = "admissionregistration.k8s.io/v1/"
		flags = append(flags, "--runtime-config="+group+"validatingadmissionpolicies=false,"+group+"validatingadmissionpolicybindings=false",
			"--disable-admission-plugins=ValidatingAdmissionPolicy")
	}
	return flags
}

// readyCheck asks /readyz, which everybody may.
func (b *Bed) readyCheck() (func(context.Context) error, error) {
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(b.authority.PEM) {
		return nil, errors.New("the bed's own certificate does not parse")
	}
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}, DisableKeepAlives: true}
	client := &http.Client{Transport: transport}
	return func(ctx context.Context) error { return getOK(ctx, client, b.server+"/readyz") }, nil
}

// startControllers starts controller manager and scheduler.
func (b *Bed) startControllers() error {
	shared := []string{"--leader-elect=false", "--bind-address=127.0.0.1", "--secure-port=0"}
	_, err := b.start("kube-controller-manager", b.binaries["kube-controller-manager"], append(shared,
		"--kubeconfig="+b.own,
		"--service-account-private-key-file="+filepath.Join(b.Dir, "sa.key"),
		"--root-ca-file="+filepath.Join(b.Dir, "ca.crt"),
		"--use-service-account-credentials=true",
		// kwok keeps no lease: after the usual 50 seconds the node would count
		// as lost, and its pods as not ready for ever.
		"--node-monitor-grace-period=24h",
	)...)
	if err != nil {
		return err
	}
	_, err = b.start("kube-scheduler", b.binaries["kube-scheduler"], append(shared, "--kubeconfig="+b.own)...)
	return err
}

// startKwok starts the kubelet's stand-in. Its port has to be known before the
// node first appears: it lands in the node's status then, and stays.
func (b *Bed) startKwok(ctx context.Context) error {
	ports, err := b.ports(1)
	if err != nil {
		return err
	}
	port := strconv.Itoa(ports[0])
	kwok, err := b.start("kwok", b.binaries["kwok"],
		"--kubeconfig="+b.own, "--manage-all-nodes=true",
		"--node-ip=127.0.0.1", "--node-port="+port, "--server-address=127.0.0.1:"+port,
		"--enable-crds=Stage,Logs,ClusterLogs,PortForward,ClusterPortForward",
		"--tls-cert-file="+filepath.Join(b.Dir, "server.crt"),
		"--tls-private-key-file="+filepath.Join(b.Dir, "server.key"),
	)
	if err != nil {
		return err
	}
	return kwok.await(ctx, startLimit, func(ctx context.Context) error {
		return getOK(ctx, http.DefaultClient, local("http", ports[0])+"/healthz")
	})
}

// getOK asks a URL and wants 200, soon: what listens there may be a stranger
// that never answers.
func getOK(ctx context.Context, client *http.Client, url string) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		text, err := io.ReadAll(io.LimitReader(response.Body, 4096))
		return errors.Join(fmt.Errorf("%s: %s: %s", url, response.Status, text), err)
	}
	return nil
}

// local is a URL on loopback.
func local(scheme string, port int) string {
	return scheme + "://127.0.0.1:" + strconv.Itoa(port)
}
