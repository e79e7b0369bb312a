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

    /// <summary>Every file, in the byte order of bucket and name.</summary>
    IAsyncEnumerable<StoredFile> ListAsync(CancellationToken cancellationToken);

    /// <summary>Clears away what writers that died have left half done for longer than <paramref name="age"/>.</summary>
    Task SweepAsync(TimeSpan age, CancellationToken cancellationToken);

    /// <summary>A new path for a file in the making, on the store's own disk where it has one.</summary>
    string NewTemporaryPath();
}

/// <summary>A file in a store.</summary>
public sealed record StoredFile(string Bucket, string Name, long SizeBytes, DateTime ModifiedAt);

/// <summary>The store cannot be used for now.</summary>
public sealed class StorageException(string message, Exception? inner = null) : IOException(message, inner);
