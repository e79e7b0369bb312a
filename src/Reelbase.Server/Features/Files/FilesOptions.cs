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
}
