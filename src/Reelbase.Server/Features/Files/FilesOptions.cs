using System.ComponentModel.DataAnnotations;

namespace Reelbase.Server.Features.Files;

/// <summary>Section <c>Files</c>: how rows and files are kept in step.</summary>
public sealed class FilesOptions
{
    /// <summary>Minutes between walks through the whole store; the first comes after as long.</summary>
    [Range(1, 44_640)]
    public int HealMinutes { get; set; } = 1440;

    /// <summary>A file without a row, or a row without a file, is left alone until it is this old.</summary>
    [Range(0, 10_080)]
    public int OrphanMinutes { get; set; } = 60;

    /// <summary>
    /// More than this share of the rows without a file, or of the files without a row, is no accident of single files: the store is the wrong
    /// one, or lost. Then nothing is changed and an alert goes out.
    /// </summary>
    [Range(0, 100)]
    public double MaxMissingPercent { get; set; } = 1;

    /// <summary>So many are repaired whatever their share is.</summary>
    [Range(0, 1_000_000)]
    public int MaxMissingFiles { get; set; } = 5;

    /// <summary>Rows and files that are compared at a time.</summary>
    [Range(1, 1000)]
    public int PageRows { get; set; } = 1000;

    /// <summary>Seconds between checks whether a comparison is due or asked for.</summary>
    [Range(0.1, 3600)]
    public double PollSeconds { get; set; } = 30;
}
