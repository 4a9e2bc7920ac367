package check

import (
	"context"
	"slices"
	"strings"

	core "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/health"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/kinds"
)

// isDefault are the annotations of a default storage class, new and old.
func isDefault(class *unstructured.Unstructured) bool {
	notes := class.GetAnnotations()
	return notes["storageclass.kubernetes.io/is-default-class"] == "true" || notes["storageclass.beta.kubernetes.io/is-default-class"] == "true"
}

// classOf is the storage class that a claim gets, "" if none. Not known is the default one
// to those who may not list the classes, unless the API server has said it in a dry run.
func classOf(ctx context.Context, c clusterLook, claim core.PersistentVolumeClaim, item *apply.Item) (class string, known bool) {
	if claim.Spec.StorageClassName != nil {
		return *claim.Spec.StorageClassName, true
	}
	classes, err := c.List(ctx, kinds.StorageClass.GVR(), "", "")
	if err == nil {
		for _, one := range classes {
			if isDefault(one) {
				return one.GetName(), true
			}
		}
		return "", true
	}
	return judgedClass(item)
}

// judgedClass is the storage class that the API server has filled in in a dry run. It
// fills in the default one, if there is one (plugin/pkg/admission/storage/storageclass/
// setdefault of kubernetes).
func judgedClass(item *apply.Item) (class string, known bool) {
	if item == nil || item.Would == nil || item.Would.GetUID() == "" {
		return "", false
	}
	return health.Text(item.Would.Object, "spec", "storageClassName"), true
}

// storageClass: a claim that names no class waits for a default one. A class that waits
// for its first pod is fine.
func storageClass(ctx context.Context, c clusterLook) Finding {
	open, err := openClaims(ctx, c)
	switch {
	case err != nil:
		return unreadable(c.Conn, err, "list persistentvolumeclaims in "+c.Namespace, "whether there is a storage class for the app's volume")
	case len(open) == 0:
		return Pass()
	}
	classes, err := c.List(ctx, kinds.StorageClass.GVR(), "", "")
	switch {
	case apierrors.IsForbidden(err):
		return unlistedClass(ctx, c, open)
	case apierrors.IsNotFound(err):
		return Leave("the cluster does not serve storage classes")
	case err != nil:
		return Fail(c.Conn.Translate(err))
	}
	finding := judgeClasses(open, classes)
	if finding.Status == Failed && provided(ctx, c, open) {
		return Pass()
	}
	return worstFirst([]Finding{finding, drivers(ctx, c, open, classes)})
}

// openClaims are the app's claims that have no volume yet: as they exist, or as install
// would create them.
func openClaims(ctx context.Context, c clusterLook) (open []*unstructured.Unstructured, err error) {
	for _, object := range c.objects {
		if object.GetKind() != "PersistentVolumeClaim" {
			continue
		}
		claim, err := liveClaim(ctx, c, object)
		switch {
		case err != nil:
			return nil, err
		case claim == nil:
			open = append(open, object)
		case health.Text(claim.Object, "spec", "volumeName") == "":
			open = append(open, claim)
		}
	}
	return open, nil
}

// liveClaim is a claim as it exists, nil if it does not. The plan has read it, unless the
// plan failed.
func liveClaim(ctx context.Context, c clusterLook, object *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	if c.fresh {
		return nil, nil
	}
	plan, failed := c.Plan(ctx)
	if item := planned(plan, object); item != nil && (item.Live != nil || failed == nil && item.Err == nil) {
		return item.Live, nil
	}
	claims, err := listOf(ctx, c, kinds.PersistentVolumeClaim, c.Namespace)
	return named(claims, object.GetName()), err
}

// unlistedClass is for those who may not list the storage classes.
func unlistedClass(ctx context.Context, c clusterLook, open []*unstructured.Unstructured) Finding {
	plan, _ := c.Plan(ctx)
	for _, claim := range open {
		class, known := judgedClass(planned(plan, claim))
		_, said, _ := unstructured.NestedString(claim.Object, "spec", "storageClassName")
		switch {
		case said || !known:
			return Unseen("list storageclasses", "whether there is a storage class for the app's volume")
		case class == "":
			return noDefault(claim.GetName(), "", "NAME")
		}
	}
	return Pass()
}

// noDefault is the finding where a claim names no class and no class is the default. class
// is the one to choose, NAME if that is the reader's to say, "" if there is none.
func noDefault(claim, has, class string) Finding {
	next := chooseClass(class)
	if class != "" {
		next += "\nor a cluster admin makes it the default: " + advice.Command("oc annotate storageclass --overwrite", class, "storageclass.kubernetes.io/is-default-class=true")
	}
	return Refuse("there is no default storage class for PersistentVolumeClaim "+claim,
		"the claim names none, so no volume is created for it until there is a default one"+has,
		next+
			"\nfor a volume without a class, which a cluster admin has created: --set storage.storageClassName=-")
}

// chooseClass is how an install gets a storage class, "" if the cluster has none.
func chooseClass(class string) string {
	if class == "" {
		return "a cluster admin creates a storage class"
	}
	return advice.Command("--set", "storage.storageClassName="+class) + " chooses the storage class"
}

func judgeClasses(open, classes []*unstructured.Unstructured) Finding {
	names := make([]string, len(classes))
	for i, class := range classes {
		names[i] = class.GetName()
	}
	class, has := "NAME", "; there is "+strings.Join(names, ", ")
	switch len(names) {
	case 0:
		class, has = "", ""
	case 1:
		class = names[0]
	}
	for _, claim := range open {
		name := health.Text(claim.Object, "spec", "storageClassName")
		_, said, _ := unstructured.NestedString(claim.Object, "spec", "storageClassName")
		switch {
		case name == "" && said: // asks for a volume without a class
		case name != "" && !slices.Contains(names, name):
			return Refuse("there is no storage class "+name+" for PersistentVolumeClaim "+claim.GetName(),
				"the claim names it, so no volume is created for it"+has, chooseClass(class))
		case name == "" && !slices.ContainsFunc(classes, isDefault):
			return noDefault(claim.GetName(), has, class)
		}
	}
	return Pass()
}

// provided reports whether there is a volume for each claim that a cluster admin has
// created: that needs no storage class.
func provided(ctx context.Context, c clusterLook, open []*unstructured.Unstructured) bool {
	volumes, err := c.List(ctx, kinds.PersistentVolume.GVR(), "", "")
	return err == nil && !slices.ContainsFunc(open, func(claim *unstructured.Unstructured) bool {
		return !slices.ContainsFunc(volumes, func(volume *unstructured.Unstructured) bool { return isFor(volume, claim) })
	})
}

// isFor reports whether a claim can be bound to a volume.
func isFor(volume, claim *unstructured.Unstructured) bool {
	var v core.PersistentVolume
	var want core.PersistentVolumeClaim
	if !into(volume, &v) || !into(claim, &want) || v.Status.Phase != core.VolumeAvailable {
		return false
	}
	class := ""
	if want.Spec.StorageClassName != nil {
		class = *want.Spec.StorageClassName
	}
	size, has := want.Spec.Resources.Requests[core.ResourceStorage], v.Spec.Capacity[core.ResourceStorage]
	reserved := v.Spec.ClaimRef != nil && (v.Spec.ClaimRef.Name != claim.GetName() || v.Spec.ClaimRef.Namespace != claim.GetNamespace())
	return v.Spec.StorageClassName == class && has.Cmp(size) >= 0 && !reserved && slices.Contains(v.Spec.AccessModes, core.ReadWriteOnce)
}

// migrated are the drivers that do what a provisioner inside Kubernetes did before.
func migrated() map[string]string {
	return map[string]string{
		"kubernetes.io/aws-ebs":        "ebs.csi.aws.com",
		"kubernetes.io/azure-disk":     "disk.csi.azure.com",
		"kubernetes.io/cinder":         "cinder.csi.openstack.org",
		"kubernetes.io/gce-pd":         "pd.csi.storage.gke.io",
		"kubernetes.io/vsphere-volume": "csi.vsphere.vmware.com",
	}
}

// drivers warns of a class whose CSI driver is not registered while others are: EKS has a
// class without its driver. It is no proof, because a driver need not register, and a
// provisioner need not be a CSI driver.
func drivers(ctx context.Context, c clusterLook, open, classes []*unstructured.Unstructured) Finding {
	installed, err := c.List(ctx, kinds.CSIDriver.GVR(), "", "")
	if err != nil || len(installed) == 0 {
		return Pass()
	}
	for _, claim := range open {
		name := health.Text(claim.Object, "spec", "storageClassName")
		at := slices.IndexFunc(classes, func(class *unstructured.Unstructured) bool {
			return class.GetName() == name || name == "" && isDefault(class)
		})
		if at < 0 {
			continue
		}
		provisioner := health.Text(classes[at].Object, "provisioner")
		driver, known := migrated()[provisioner]
		if !known {
			driver = provisioner
		}
		if !known && !strings.Contains(driver, ".csi.") && !strings.HasPrefix(driver, "csi.") || named(installed, driver) != nil {
			continue
		}
		return Warn("the driver of storage class "+classes[at].GetName()+" seems not to be installed",
			"PersistentVolumeClaim "+claim.GetName()+" gets its volume from "+driver+", and no such CSIDriver is registered",
			"install the driver, or choose another class: --set storage.storageClassName=NAME ("+advice.Command("oc get csidrivers,storageclasses")+")")
	}
	return Pass()
}
