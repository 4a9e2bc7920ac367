package cmd

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/awstest"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/install"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/plan"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

const (
	bucketPath = "/apis/s3.services.k8s.aws/v1alpha1/namespaces/demo/buckets/demo-bucket"
	farRegion  = "eu-west-1"
)

// keepRegion is keep where the commands are not given the region: the AWS configuration
// has one.
func keepRegion(t *testing.T) *kept {
	t.Helper()
	k := keep(t)
	t.Setenv("AWS_REGION", awstest.Region)
	k.facts.Given.Region = render.Fact{}
	return k
}

// inS3 has S3 have the bucket in a region, with the tags that the app's Bucket gives it.
func (k *kept) inS3(region string) {
	k.account.Handle("HEAD demo-bucket", func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("X-Amz-Bucket-Region", region) })
	tags := ""
	for key, value := range map[string]string{render.TagManagedBy: render.ManagedBy, "ostoy-s3/namespace": "demo", "ostoy-s3/issuer": "https://oidc.example.com/one"} {
		tags += "<Tag><Key>" + key + "</Key><Value>" + value + "</Value></Tag>"
	}
	k.account.Answer("GET demo-bucket?tagging", "<Tagging><TagSet>"+tags+"</TagSet></Tagging>")
}

func (k *kept) region() string {
	return k.store.Object(bucketPath).GetAnnotations()["services.k8s.aws/region"]
}

func (k *kept) record(key, value string) {
	k.store.Edit(inventoryPath, func(object map[string]any) {
		data, _ := object["data"].(map[string]any)
		data[key] = value
	})
}

// TestRegionOfTheLastInstall: all commands keep the region that an install was given, if
// S3 or the Bucket resource confirms it. What only the inventory says is reported.
func TestRegionOfTheLastInstall(t *testing.T) {
	const notUsed = "the last install was for region " + farRegion
	for name, c := range map[string]struct {
		given string      // of the install that there is
		then  func(*kept) // what happens after it
		want  string
		says  string
	}{
		"the bucket is there":               {farRegion, func(k *kept) { k.inS3(farRegion) }, farRegion, "S3, where the bucket is"},
		"there is no bucket yet":            {farRegion, func(*kept) {}, farRegion, "buckets/demo-bucket"},
		"the inventory is another's words":  {"", func(k *kept) { k.record("region", farRegion) }, awstest.Region, notUsed},
		"and S3 has the bucket":             {"", func(k *kept) { k.record("region", farRegion); k.inS3(awstest.Region) }, awstest.Region, ""},
		"the inventory has no region":       {"", func(k *kept) { k.record("region", "$(id)") }, awstest.Region, ""},
		"S3 shows the bucket to nobody":     {farRegion, func(k *kept) { k.account.Refuse("HEAD demo-bucket", 403, "", "") }, "", notUsed},
		"it has always been the usual one":  {"", func(k *kept) { k.inS3(awstest.Region) }, awstest.Region, ""},
		"the bucket is where nobody wanted": {"", func(k *kept) { k.record("region", farRegion); k.inS3("ap-south-1") }, "", notUsed},
	} {
		t.Run(name, func(t *testing.T) {
			k := keepRegion(t)
			err := k.install(func(r *install.Request) {
				if c.given != "" {
					r.Facts.Given.Region = render.Fact{Value: c.given, Source: "flag --region"}
				}
			})
			if err != nil {
				t.Fatalf("%v\n%s", err, k.err)
			}
			c.then(k)
			err = k.install(nil)
			if said := k.err.String(); !strings.Contains(said, c.says) || strings.Contains(said, notUsed) && c.says != notUsed {
				t.Errorf("does not say %q\n%s", c.says, said)
			}
			if c.want == "" {
				if err == nil {
					t.Errorf("it is not refused\n%s", k.err)
				}
				return
			}
			if err != nil || k.region() != c.want {
				t.Errorf("%s, want %s, %v\n%s", k.region(), c.want, err, k.err)
			}
			if k.agree(name) {
				t.Errorf("there is something to change\n%s", k.err)
			}
		})
	}
}

// TestRegionOfAnInterruptedInstall: an install that was given a region and did not get to
// its end is continued in that region, because its Bucket resource may have created the
// bucket there.
func TestRegionOfAnInterruptedInstall(t *testing.T) {
	for n := int64(1); ; n++ {
		k := keepRegion(t)
		refused := k.failing(n)
		err := k.install(func(r *install.Request) {
			r.Facts.Given.Region = render.Fact{Value: farRegion, Source: "flag --region"}
		})
		what := refused()
		if what == "" {
			if err != nil || n < 3 {
				t.Errorf("%d writes, %v", n-1, err)
			}
			return
		}
		want := awstest.Region
		if k.store.Object(bucketPath) != nil {
			want = farRegion
			k.inS3(farRegion)
		}
		k.heals(what)
		if k.region() != want {
			t.Errorf("%s: %s, want %s", what, k.region(), want)
		}
	}
}

// theirs is a role of another tool that lets the app in.
const theirs = "theirs"

// usingTheirs is an app that uses a role of another tool, by --iam=skip.
func usingTheirs(t *testing.T) *kept {
	t.Helper()
	k := keep(t)
	if err := k.install(nil); err != nil {
		t.Fatal(err)
	}
	role := k.role()
	k.roles.Remove(render.RoleName("https://oidc.example.com/one", "demo"))
	role.Path, role.Tags = "/team/", map[string]string{"owner": "team"}
	k.roles.Put(theirs, role)
	err := k.install(func(r *install.Request) { r.IAM, r.Role.Name, r.Role.Path = plan.IAMSkip, theirs, "/team/" })
	if err != nil {
		t.Fatalf("%v\n%s", err, k.err)
	}
	return k
}

// TestIAMSkipOfTheLastInstall: a role that another tool manages is used again by all
// commands, as long as IAM shows that it does; what only the inventory says is reported.
func TestIAMSkipOfTheLastInstall(t *testing.T) {
	k := usingTheirs(t)
	usual := render.RoleName("https://oidc.example.com/one", "demo")
	before := k.store.Object(inventoryPath).Object["data"]
	if err := k.install(nil); err != nil || !strings.Contains(k.err.String(), "used as it is (--iam=skip)") || !strings.Contains(k.err.String(), "nothing to change") {
		t.Errorf("%v\n%s", err, k.err)
	}
	if k.agree("a role of another tool") || k.roles.Role(usual).Path != "" {
		t.Errorf("a role of its own: %+v\n%s", k.roles.Role(usual), k.err)
	}
	if d := cmp.Diff(before, k.store.Object(inventoryPath).Object["data"]); d != "" {
		t.Errorf("the record: %s", d)
	}
	for name, c := range map[string]struct {
		then   func(*kept)
		change func(*install.Request)
		doubt  string
	}{
		"the role is gone": {func(k *kept) { k.roles.Remove(theirs) }, nil, "IAM has no role theirs that lets the app in"},
		"it lets another app in": {func(k *kept) {
			role := k.roles.Role(theirs)
			role.Trust = strings.ReplaceAll(role.Trust, ":demo:", ":other:")
			k.roles.Put(theirs, role)
		}, nil, "IAM has no role theirs"},
		"it is the project's own":       {func(k *kept) { k.record("roleARN", "arn:aws:iam::"+awstest.Account+":role/ostoy-s3/"+usual) }, nil, "IAM has no role " + usual},
		"a role is asked for":           {func(*kept) {}, func(r *install.Request) { r.IAM = plan.IAMApply }, ""},
		"it is said how the role is to": {func(*kept) {}, func(r *install.Request) { r.Role.Tags = map[string]string{"a": "b"} }, ""},
	} {
		t.Run(name, func(t *testing.T) {
			k := usingTheirs(t)
			c.then(k)
			err := k.install(c.change)
			said := k.err.String()
			if err != nil || k.roles.Role(usual).Path == "" || strings.Contains(said, "used as it is") {
				t.Errorf("no role of its own: %v\n%s", err, said)
			}
			if doubted := strings.Contains(said, advice.ManagedByOthers); doubted != (c.doubt != "") || !strings.Contains(said, c.doubt) {
				t.Errorf("does not say %q\n%s", c.doubt, said)
			}
			if k.agree(name) {
				t.Errorf("there is something to change\n%s", k.err)
			}
		})
	}
}

// TestForgedIAMSkip: an editor of the project writes that another tool manages the role
// that install created. It is managed all the same.
func TestForgedIAMSkip(t *testing.T) {
	k := keep(t)
	if err := k.install(nil); err != nil {
		t.Fatal(err)
	}
	k.record("roleOrigin", "existing")
	usual := render.RoleName("https://oidc.example.com/one", "demo")
	role := k.roles.Role(usual)
	role.Inline = map[string]string{}
	k.roles.Put(usual, role)
	if err := k.install(nil); err != nil || !strings.Contains(k.err.String(), "has the tags of this project") || len(k.role().Inline) == 0 {
		t.Errorf("%v, %+v\n%s", err, k.role(), k.err)
	}
	if k.agree("a forged origin") {
		t.Error(k.err.String())
	}
}
