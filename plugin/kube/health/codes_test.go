package health

import (
	"strings"
	"testing"
)

// TestBucketCodes: what S3 answers about a bucket in the words of the controller's SDK. A
// code that stays ends the wait with what it means and what to do; any other is shown.
func TestBucketCodes(t *testing.T) {
	for said, want := range map[string]struct {
		never      bool
		says, cure string
	}{
		"api error InvalidTag: The TagKey you have provided is invalid":                                                                     {true, "S3 does not accept a tag: InvalidTag: The TagKey you have provided is invalid", "--tags"},
		"operation error S3: PutBucketTagging, https response error StatusCode: 400, RequestID: X, HostID: Y, api error InvalidTag: x":      {true, "S3 does not accept a tag: InvalidTag: x", "--tags"},
		"api error InvalidBucketState: Object Lock configuration cannot be enabled on existing buckets":                                     {true, "does not allow this setting: InvalidBucketState: Object Lock", "object lock"},
		"api error MalformedPolicy: Policy has invalid resource":                                                                            {true, "policy of the bucket: MalformedPolicy", "install again"},
		"InvalidRequest: x\n\tstatus code: 400, request id: y":                                                                              {true, "S3 does not accept a field of the Bucket: InvalidRequest: x", "install again"},
		"api error TooManyBuckets: You have attempted to create more buckets than allowed":                                                  {true, "as its quota allows: TooManyBuckets", "higher quota"},
		"api error IllegalLocationConstraintException: The eu-west-1 location constraint is incompatible":                                   {true, "another region: IllegalLocationConstraintException", "--region"},
		"api error InvalidAccessKeyId: The AWS Access Key Id you provided does not exist in our records.":                                   {true, "credentials of the ACK S3 controller", "controller status"},
		"api error KMS.NotFoundException: Key 'arn:aws:kms:us-east-2:1:key/x' does not exist":                                               {true, "the KMS key cannot be used: KMS.NotFoundException", "KMS key"},
		"api error TagPolicyException: The tag policy does not allow the specified value for the following tag key: 'team'":                 {true, "a tag policy of the AWS organization does not allow a tag: TagPolicyException", "--tags"},
		"api error NotSignedUp: Your account is not signed up for the Amazon S3 service.":                                                   {true, "AWS does not serve the account", "AWS account"},
		"BucketAlreadyExists: The requested bucket name is not available.":                                                                  {true, "another AWS account: BucketAlreadyExists", "--new-project"},
		"api error InvalidBucketName: The specified bucket is not valid.":                                                                   {true, "the name: InvalidBucketName", "another project"},
		"api error OperationAborted: A conflicting conditional operation is currently in progress against this resource. Please try again.": {false, "another change of the bucket is under way", ""},
		"api error SlowDown: Please reduce your request rate.":                                                                              {false, "limits the number of requests", ""},
		"api error InternalError: We encountered an internal error":                                                                         {false, "an error of its own", ""},
		"api error NoSuchBucket: The specified bucket does not exist":                                                                       {false, "everywhere yet", ""},
		"BucketAlreadyOwnedByYou: Your previous request":                                                                                    {false, "has the bucket already", ""},
		"api error NoSuchTagSet: The TagSet does not exist":                                                                                 {false, "NoSuchTagSet", ""},
		"api error InvalidTagOfTomorrow: x":                                                                                                 {false, "InvalidTagOfTomorrow", ""},
		"dial tcp: lookup s3.us-east-2.amazonaws.com: no such host":                                                                         {false, "no such host", ""},
	} {
		obj := bucketWith(t, conds("Ready=False|x|ACK.Recoverable"))
		s := judgeRecoverable(obj, Conditions(obj), Condition{kind: "ACK.Recoverable", status: "True", message: said}, Around{}).plainly()
		end := s.Settled()
		if (s.Level == Fail) != want.never || (end.Level == Fail) != want.never || !strings.Contains(end.Text, want.says) || !strings.Contains(end.Hint, want.cure) || end.Hint == "" {
			t.Errorf("%s\n%+v\nthen %+v", said, s, end)
		}
	}
}

// TestEachCode: a code that stays has a cure, one that passes does not need any.
func TestEachCode(t *testing.T) {
	for name, code := range s3Codes() {
		if code.never && (code.says == "" || code.cure == "" && name != "BucketNotEmpty") || !code.never && code.cure != "" {
			t.Errorf("%s: %+v", name, code)
		}
		for _, form := range []string{"api error " + name + ": x", name + ": x", "operation error S3: PutBucketX, api error " + name} {
			if got, _, known := codeIn(form); !known || got != name {
				t.Errorf("%q: %q", form, got)
			}
		}
	}
}

// TestTerminalCodes: what the controller has given up on has the same cures.
func TestTerminalCodes(t *testing.T) {
	for said, cure := range map[string]string{"api error MalformedXML: The XML is not well-formed": "install again", "api error InvalidTag: x": "--tags", "something else": "oc describe"} {
		s := Bucket(bucketWith(t, conds("ACK.Terminal=True|"+said+"|")), nil, false, Around{})
		if s.Level != Fail || !strings.Contains(s.Text, said) || !strings.Contains(s.Hint, cure) {
			t.Errorf("%s: %+v", said, s)
		}
	}
}

// TestVolumeEvents: what is reported about a claim is shown; without events the claim
// names its provisioner.
func TestVolumeEvents(t *testing.T) {
	const head = "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata:\n  name: ostoy-pvc\n  namespace: demo\n  annotations: {%}\nspec: {storageClassName: gp3-csi}\nstatus: {phase: Pending}\n"
	const node, driver = "volume.kubernetes.io/selected-node: worker-0", "volume.kubernetes.io/storage-provisioner: ebs.csi.aws.com"
	quota := Event{"ProvisioningFailed", `failed to provision volume with StorageClass "gp3-csi": rpc error: code = Internal desc = VolumeLimitExceeded`, true}
	for name, c := range map[string]struct {
		notes    string
		events   []Event
		now, end Level
		says     string
	}{
		"first pod":          {"", []Event{{"WaitForFirstConsumer", "waiting for first consumer", false}}, Info, Info, "waiting for its first pod (class gp3-csi)"},
		"failed":             {node + ", " + driver, []Event{quota}, Warn, Warn, "no volume yet: ProvisioningFailed: failed to provision volume"},
		"no driver":          {node + ", " + driver, []Event{{"ExternalProvisioning", "Waiting for a volume to be created", false}}, Info, Warn, "does it run? (ExternalProvisioning: Waiting for a volume to be created)"},
		"events not read":    {node + ", " + driver, nil, Info, Warn, "waiting for the provisioner ebs.csi.aws.com"},
		"nothing known":      {node, nil, Info, Warn, "no volume after 30s"},
		"at once":            {driver, nil, Info, Warn, "ebs.csi.aws.com"},
		"class is not there": {"", []Event{{"ProvisioningFailed", `storageclass.storage.k8s.io "gp9" not found`, true}}, Warn, Fail, `"gp9" not found`},
		"none fits":          {"", []Event{{"FailedBinding", "no persistent volumes available for this claim and no storage class is set", false}}, Warn, Warn, "no persistent volumes available"},
		"denied":             {node, []Event{{"ProvisioningFailed", "UnauthorizedOperation: You are not authorized to perform: ec2:CreateVolume with an explicit deny in a service control policy", true}}, Fail, Fail, "a policy of the AWS organization forbids it"},
		"made now":           {node, []Event{{"ProvisioningSucceeded", "ok", false}, quota}, Info, Warn, "no volume after"},
	} {
		s := Volume(parse(t, strings.ReplaceAll(head, "%", c.notes)), c.events, Around{})
		end := s.Settled()
		if s.Level != c.now || end.Level != c.end || !strings.Contains(end.Text, c.says) || s.After > 60e9 || end.Level > Info && end.Hint == "" {
			t.Errorf("%s: %+v, then %+v", name, s, end)
		}
	}
}
