using System.ComponentModel.DataAnnotations;
using System.Text.Json;
using Reelbase.Server.Features.Catalog.AppSettings;

namespace Reelbase.Server.Features.Files;

/// <summary>Section <c>Uploads</c>: the pictures that users bring. How long they are kept is <c>Cleanup:UploadDays</c>.</summary>
public sealed class UploadsOptions : IValidatableObject
{
    /// <summary>The largest picture, in MB (of 1,048,576 bytes).</summary>
    [Range(1, 100)]
    public int MaxMegabytes { get; set; } = 10;

    /// <summary>The longest side of a picture, in pixels.</summary>
    [Range(16, 65_535)]
    public int MaxSidePixels { get; set; } = 16_384;

    /// <summary>The largest picture in megapixels: a small file can be a picture that fills a memory.</summary>
    [Range(1, 1000)]
    public int MaxMegapixels { get; set; } = 100;

    /// <summary>What the pictures of one user may take together, in MB.</summary>
    [Range(1, 1_000_000)]
    public int UserMegabytes { get; set; } = 200;

    /// <summary>Pictures that one user may have.</summary>
    [Range(1, 100_000)]
    public int UserFiles { get; set; } = 500;

    /// <summary>What the pictures of all users may take together, in MB; beyond it uploads are refused. Negative: unlimited.</summary>
    [Range(-1, 1_000_000_000)]
    public int InstallationMegabytes { get; set; } = 102_400;

    /// <summary>Uploads that a user has per window. Negative: unlimited; so for the other limit.</summary>
    [Range(-1, 1_000_000)]
    public int PerWindow { get; set; } = 60;

    /// <summary>Uploads of all users behind one address per window; phones share addresses, so it is wide.</summary>
    [Range(-1, 1_000_000)]
    public int AddressPerWindow { get; set; } = 600;

    /// <summary>Length of the window.</summary>
    [Range(1, 86_400)]
    public int WindowSeconds { get; set; } = 3600;

    /// <summary>Whether whoever knows the whole name of a picture in the bucket <c>thumbnails</c> may read it, as shipped apps expect. The bucket <c>uploads</c> is never public.</summary>
    public bool PublicThumbnails { get; set; } = true;

    /// <inheritdoc/>
    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (InstallationMegabytes >= 0 && InstallationMegabytes < MaxMegabytes)
        {
            yield return new ValidationResult("must be at least MaxMegabytes, or -1 for no bound", [nameof(InstallationMegabytes)]);
        }
    }

    internal long? InstallationBytes => InstallationMegabytes < 0 ? null : InstallationMegabytes * 1024L * 1024;

    internal long MaxBytes => MaxMegabytes * 1024L * 1024;

    /// <summary>The limits as SQL reads them.</summary>
    internal string Limits(ServerLimits limits) =>
        JsonSerializer.Serialize(
            new
            {
                user = limits.OrNone("Uploads:PerWindow", PerWindow),
                address = limits.OrNone("Uploads:AddressPerWindow", AddressPerWindow),
                window_seconds = WindowSeconds,
                max_files = UserFiles,
                max_bytes = UserMegabytes * 1024L * 1024,
                max_installation_bytes = InstallationBytes,
            }
        );
}
