namespace Reelbase.Server.Features.Files;

/// <summary>The name of a file as its user knows it: a bucket, and below it a folder that is an id of theirs. Swift writes ids in upper case.</summary>
/// <param name="Bucket">The bucket.</param>
/// <param name="Given">The name below the bucket as it was given.</param>
/// <param name="Folder">The id that it begins with; null when it begins with none.</param>
/// <param name="Path">What comes after the id.</param>
public sealed record FileName(string Bucket, string Given, Guid? Folder, string? Path)
{
    /// <summary>Pictures that only their user reads.</summary>
    public const string Uploads = "uploads";

    /// <summary>Pictures that whoever knows the whole name may read; what jobs have made lies here too, and is nobody else's.</summary>
    public const string Thumbnails = "thumbnails";

    /// <summary>What jobs have made.</summary>
    public const string Videos = "videos";

    private const int MaxLength = 512;
    private const int MaxFolders = 10;
    private const string Marks = "!-_.*'() &$@=;:+,";

    /// <summary>The buckets that clients know.</summary>
    public static IReadOnlyList<string> Buckets { get; } = [Thumbnails, Uploads, Videos];

    /// <summary>The name as it is compared: the id in lower case.</summary>
    public string Canonical => Folder is { } folder ? $"{folder}/{Path}" : Given;

    /// <summary>Takes a name apart. Nothing is refused here: a name that nothing can have is the name of nothing.</summary>
    public static FileName Parse(string bucket, string name)
    {
        var slash = name.IndexOf('/', StringComparison.Ordinal);
        return slash > 0 && slash + 1 < name.Length && Guid.TryParseExact(name[..slash], "D", out var folder)
            ? new(bucket, name, folder, name[(slash + 1)..])
            : new(bucket, name, null, null);
    }

    /// <summary>Whether a file may be called so: letters, digits and some marks of ASCII, as Supabase has it, and no folder without a name or above its own.</summary>
    public static bool IsValid(string name) =>
        name.Length is > 0 and <= MaxLength
        && name.Split('/') is { Length: <= MaxFolders } parts
        && Array.TrueForAll(
            parts,
            part => part is not ("" or "." or "..") && part.All(letter => char.IsAsciiLetterOrDigit(letter) || Marks.Contains(letter, StringComparison.Ordinal))
        );
}
