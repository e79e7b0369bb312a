using System.ComponentModel.DataAnnotations;

namespace Reelbase.Server.Platform.Storage;

/// <summary>Section <c>Storage</c>: where videos and pictures are kept. On one node the local disk does; several share an S3-compatible store.</summary>
public sealed class StorageOptions : IValidatableObject
{
    /// <summary><c>local</c> (below <c>Server:DataDirectory</c>) or <c>s3</c>.</summary>
    [RegularExpression("^(local|s3)$", ErrorMessage = "must be local or s3")]
    public string Kind { get; set; } = "local";

    /// <summary>The S3-compatible service; none: Amazon's own in <c>Region</c>.</summary>
    [Url]
    public string? ServiceUrl { get; set; }

    /// <summary>Its region; requests are signed with it.</summary>
    [Required]
    public string Region { get; set; } = "us-east-1";

    /// <summary>The bucket that everything goes into; private, and made beforehand.</summary>
    public string? Bucket { get; set; }

    /// <summary>What every key begins with, for a bucket that is shared.</summary>
    [MaxLength(200)]
    public string Prefix { get; set; } = "";

    /// <summary>The access key; none: whatever the machine's role gives.</summary>
    public string? AccessKey { get; set; }

    /// <summary>Its secret.</summary>
    public string? SecretKey { get; set; }

    /// <summary>Whether the bucket stands in the path and not in the host name; most services other than Amazon's need it.</summary>
    public bool ForcePathStyle { get; set; } = true;

    /// <summary>
    /// With fewer free megabytes on the disk of files in the making (with <c>local</c> the disk of all files), uploads are refused and finished videos are fetched later. 0: not asked.
    /// </summary>
    [Range(0, int.MaxValue)]
    public int MinFreeDiskMegabytes { get; set; } = 512;

    /// <summary>
    /// <c>host:port</c> of a virus scanner that speaks clamd's INSTREAM: every picture and video is shown to it before it is kept. Its <c>StreamMaxLength</c> has to
    /// reach <c>Downloads:MaxBytes</c>. None: nothing is scanned.
    /// </summary>
    [RegularExpression(
        @"^[A-Za-z0-9][A-Za-z0-9.\-]*:([1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])$",
        ErrorMessage = "must be host:port"
    )]
    public string? ScannerAddress { get; set; }

    /// <summary>Seconds that the scanner has for one file.</summary>
    [Range(1, 600)]
    public int ScannerTimeoutSeconds { get; set; } = 60;

    /// <summary>Larger files are sent in parts of so many megabytes.</summary>
    [Range(5, 1024)]
    public int PartMegabytes { get; set; } = 64;

    /// <summary>Seconds that one request may take.</summary>
    [Range(1, 3600)]
    public int TimeoutSeconds { get; set; } = 60;

    /// <summary>Further tries of a request that failed on its way.</summary>
    [Range(0, 10)]
    public int MaxRetries { get; set; } = 3;

    /// <summary>What there is room for, in GB (of 1,000,000,000 bytes): the disk, or what the bucket may cost. Without it use is shown and nothing alerted.</summary>
    [Range(1, 1_000_000_000)]
    public long? CapacityGigabytes { get; set; }

    /// <summary>The share of the capacity at which an alert goes out, once; again only after use was below.</summary>
    [Range(1, 100)]
    public int AlertPercent { get; set; } = 80;

    /// <summary>Seconds between two sums of what files take.</summary>
    [Range(0.1, 3600)]
    public double UseSeconds { get; set; } = 10;

    /// <inheritdoc/>
    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (Kind == "s3" && string.IsNullOrWhiteSpace(Bucket))
        {
            yield return new ValidationResult("is needed when Storage:Kind is s3", [nameof(Bucket)]);
        }
        if (string.IsNullOrEmpty(AccessKey) != string.IsNullOrEmpty(SecretKey))
        {
            yield return new ValidationResult("goes with AccessKey: set both or none", [nameof(SecretKey)]);
        }
    }
}
