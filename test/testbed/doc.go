// Package testbed starts and stops whole beds for tests: a real Kubernetes
// control plane with kwok for kubelets, moto for AWS, and stand-ins for what
// cannot be had here (ACK's controller, the pod identity webhook, OpenShift's
// project API, OSToy). Everything is on loopback, on free ports, in temporary
// folders, and ends with the bed, by process id. The package never touches a
// cluster or an account it did not start, and never skips: what cannot be had
// is an error that says what is missing.
//
//	bed, err := testbed.Start(ctx, testbed.Options{Platform: testbed.ROSAHCP, Progress: os.Stderr})
//	...
//	defer bed.Stop()
//	cmd.Env = append(os.Environ(), bed.Env()...)
//
// One bed serves many tests, one namespace each (a bed takes seconds to start
// and a gigabyte of memory); TestMain is the place to start and stop it. The
// first start on a machine compiles the control plane, about ten minutes; the
// result is cached outside the tree. KUBEBUILDER_ASSETS is honoured.
//
// # Who is who
//
// Bed.Kubeconfig is the cluster admin's. Bed.ProjectAdminKubeconfig(user) is an
// ordinary user's: on OpenShift-like platforms one who may request projects,
// list projects and read ClusterRoles and StorageClasses, and who becomes admin
// of the projects requested; elsewhere one without rights until
// Bed.NewNamespace(ctx, name, user) makes a namespace for that user. Neither may
// read the cluster's configuration, its webhooks or its discovery document.
// Bed.Client, Bed.Dynamic and Bed.Config are the test's own, with all rights.
//
// Bed.Env() is the environment of a user: KUBECONFIG (cluster admin),
// PROJECT_ADMIN_KUBECONFIG, PATH, and AWS with a key that AWSControl calls
// "admin". Bed.IAM(), Bed.S3() and Bed.OtherS3(ctx, account) are the test's own
// clients; faults, delays and request logs can tell them from the user.
//
// # The controller
//
// A bed has the ACK S3 controller from the start: as OLM leaves it on OpenShift,
// with a catalog that has nothing newer, else as ACK's chart does. Its stand-in,
// Bed.ACK, works whatever becomes of its pod.
//
// With Options.NoController there is neither kind nor controller, but on
// OpenShift a catalog (Bed.OLM) with versions up to 1.13.0. Who makes OperatorGroup,
// ConfigMap and Subscription and approves the InstallPlan gets CRD, rights, CSV
// and Deployment; elsewhere, who applies ACK's CRD and a Deployment of its image.
// Bed.ACK then works only while a pod of that image runs, and the pod runs only
// if it has an identity, a region and all variables its arguments name; else it
// ends over and over, with the real one's log line. STS is not
// asked about the identity. While it works the pod holds the leader's lease.
//
// # An AWS that says no
//
// With Options.Enforce every AWS request is evaluated as AWS does it: identity,
// bucket and trust policies, permissions boundaries, and the condition keys that
// aws/authorize.py and aws/actions.py set. The keys of Env, IAM and S3 count as
// root users. Bed.User makes an IAM user with policies, Bed.Assume and
// Bed.AssumeRole the session of a role; each is an Identity with clients and an
// environment for the executable. The ACK stand-in then takes the role of its pod
// by a token of its service account. AWSRequest.Caller says who asked.
//
// # Trouble to order
//
//   - Bed.AWS.Deny(ctx, "iam:CreateRole", "s3:HeadBucket"), DenyFor(ctx,
//     "controller", ...), Fail(ctx, Fault{...}), Throttle(ctx, n), Delay(ctx, d);
//     Reset takes all of it back.
//   - Bed.ACK.Pause() and Resume(): the controller is down, or back.
//   - Bed.CrashController(log): its pods end over and over with that log, until
//     CrashController(""); Bed.ControllerLog(lines...) adds to a log that runs.
//   - Bed.OLM.FirstPlan(csv), TogetherWith(csv), FailCSV(reason,
//     message), EmptyCatalog(), KeepAnnotations(false), Release(version),
//     Overtake(n), StopLooking(true), Unmet(d); Reset takes all of it back. OLM is
//     0.46 unless told otherwise. How long it takes is shuffled; the seed is said
//     at the start, and TESTBED_OLM_SEED sets it.
//   - Bed.Webhook.Miss(namespace, n): the next n pods come unmutated.
//   - Bed.FailPods(ctx, namespace, FailImage) or FailInit with a termination
//     message: pods that are made later never become ready.
//   - Bed.KubeProxy(ctx, kubeconfig, hook) and Bed.AWSProxy(ctx, hook): a server
//     before the API server or AWS that shows each request to the hook, which
//     may delay it or cut the connection. KubeBehind and AWSBehind may also
//     answer, or lose answers; test/internal/relay does both for one run.
//   - Bed.RestartAPIServer(ctx, down): the API server is gone while down runs,
//     and back on the same port with the same objects.
//   - Bed.Apply(ctx, yaml): anything else, server-side, all rights.
//
// # What was asked
//
// Bed.AWS.Log(ctx, "admin") are the user's AWS requests since ResetLog.
// Bed.KubeRequests(from, "kubectl-ostoy_s3") are the API requests of a user
// agent since from, a mark taken by Bed.KubeMark().
package testbed
