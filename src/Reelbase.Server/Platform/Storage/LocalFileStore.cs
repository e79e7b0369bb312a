using Microsoft.Extensions.Options;

namespace Reelbase.Server.Platform.Storage;

/// <summary>Keeps files by bucket and name. The database knows which files exist; a store only holds bytes.</summary>
public interface IFileStore
{
    /// <summary>Moves a finished local file into the store; complete or not at all, and the same again does no harm.</summary>
    Task PutAsync(string bucket, string name, string sourcePath, string contentType, CancellationToken cancellationToken);

    /// <summary>Opens a file for reading, seekable, or null when it is not there.</summary>
    Task<Stream?> OpenAsync(string bucket, string name, CancellationToken cancellationToken);

    /// <summary>Removes a file; one that is gone already is no error.</summary>
    Task DeleteAsync(string bucket, string name, CancellationToken cancellationToken);

    /// <summary>A new path for a file in the making, on the store's own disk where it has one.</summary>
    string NewTemporaryPath();
}

/// <summary>Files on the local disk, below the data directory.</summary>
public sealed class LocalFileStore : IFileStore
{
    private readonly string _root;
    private readonly string _temporary;

    public LocalFileStore(IOptions<ServerOptions> options)
    {
        _root = Path.GetFullPath(Path.Combine(options.Value.DataDirectory, "storage"));
        _temporary = Path.Combine(_root, ".tmp");
        Directory.CreateDirectory(_temporary);
        // What a killed process was writing belongs to nobody; what others write right now is younger than an hour.
        foreach (var left in Directory.EnumerateFiles(_temporary).Where(file => File.GetLastWriteTimeUtc(file) < DateTime.UtcNow.AddHours(-1)))
        {
            File.Delete(left);
        }
    }

    /// <inheritdoc/>
    public string NewTemporaryPath() => Path.Combine(_temporary, Guid.NewGuid().ToString("N"));

    /// <inheritdoc/>
    public Task PutAsync(string bucket, string name, string sourcePath, string contentType, CancellationToken cancellationToken)
    {
        var path = PathOf(bucket, name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        // A rename is atomic: readers see the whole file or none.
        File.Move(sourcePath, path, overwrite: true);
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public Task<Stream?> OpenAsync(string bucket, string name, CancellationToken cancellationToken)
    {
        try
        {
            return Task.FromResult<Stream?>(
                new FileStream(PathOf(bucket, name), FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, 64 * 1024, useAsync: true)
            );
        }
        catch (Exception error) when (error is FileNotFoundException or DirectoryNotFoundException)
        {
            return Task.FromResult<Stream?>(null);
        }
    }

    /// <inheritdoc/>
    public Task DeleteAsync(string bucket, string name, CancellationToken cancellationToken)
    {
        try
        {
            File.Delete(PathOf(bucket, name));
        }
        catch (DirectoryNotFoundException)
        {
            // Gone with its folder.
        }
        return Task.CompletedTask;
    }

    private string PathOf(string bucket, string name)
    {
        var path = Path.GetFullPath(Path.Combine(_root, bucket, name));
        return path.StartsWith(_root + Path.DirectorySeparatorChar, StringComparison.Ordinal)
            ? path
            : throw new ArgumentException("a file name may not lead out of the store", nameof(name));
    }
}
