namespace Reelbase.Server.Platform.Storage;

/// <summary>Keeps files by bucket and name. The database knows which files exist; a store only holds bytes, and nobody reads it but us.</summary>
/// <remarks>What a store cannot do for now is a <see cref="StorageException"/>.</remarks>
public interface IFileStore
{
    /// <summary>Moves a finished local file into the store; complete or not at all, and the same again does no harm.</summary>
    Task PutAsync(string bucket, string name, string sourcePath, string contentType, CancellationToken cancellationToken);

    /// <summary>Opens a file for reading, seekable, or null when it is not there.</summary>
    Task<Stream?> OpenAsync(string bucket, string name, CancellationToken cancellationToken);

    /// <summary>Whether a file is there.</summary>
    Task<bool> ExistsAsync(string bucket, string name, CancellationToken cancellationToken);

    /// <summary>Removes a file; one that is gone already is no error.</summary>
    Task DeleteAsync(string bucket, string name, CancellationToken cancellationToken);

    /// <summary>Every file of <see cref="StoreBuckets.All"/> after a bucket and name, in the byte order of both; whatever else lies in the store is not ours.</summary>
    IAsyncEnumerable<StoredFile> ListAsync(string afterBucket, string afterName, CancellationToken cancellationToken);

    /// <summary>Whose store this is: what <see cref="WriteMarkerAsync"/> wrote, or null. A store that is not mounted has no marker.</summary>
    Task<string?> ReadMarkerAsync(CancellationToken cancellationToken);

    /// <summary>Marks the store as an installation's own.</summary>
    Task WriteMarkerAsync(string installation, CancellationToken cancellationToken);

    /// <summary>Clears away what writers that died have left half done for longer than <paramref name="age"/>.</summary>
    Task SweepAsync(TimeSpan age, CancellationToken cancellationToken);

    /// <summary>A new path for a file in the making, on the store's own disk where it has one.</summary>
    string NewTemporaryPath();
}

/// <summary>The buckets that files may lie in, in byte order; the same as in the table of files.</summary>
public static class StoreBuckets
{
    /// <summary>The name of the marker, beside the buckets.</summary>
    public const string Marker = "reelbase-installation";

    /// <summary>What users bring.</summary>
    public const string Pictures = "pictures";

    /// <summary>All of them.</summary>
    public static IReadOnlyList<string> All { get; } = [Pictures, "thumbnails", "videos"];
}

/// <summary>A file in a store.</summary>
public sealed record StoredFile(string Bucket, string Name, long SizeBytes, DateTime ModifiedAt);

/// <summary>The store cannot be used for now.</summary>
public sealed class StorageException(string message, Exception? inner = null) : IOException(message, inner);
