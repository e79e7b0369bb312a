using System.Runtime.CompilerServices;
using Microsoft.Extensions.Options;

namespace Reelbase.Server.Platform.Storage;

/// <summary>Files on the local disk, below the data directory.</summary>
public sealed class LocalFileStore : IFileStore
{
    private readonly string _root;
    private readonly TemporaryFiles _temporary;

    public LocalFileStore(IOptions<ServerOptions> options)
    {
        _root = Path.GetFullPath(Path.Combine(options.Value.DataDirectory, "storage"));
        _temporary = new(Path.Combine(_root, ".tmp"));
    }

    /// <inheritdoc/>
    public string NewTemporaryPath() => _temporary.NewPath();

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
    public Task<bool> ExistsAsync(string bucket, string name, CancellationToken cancellationToken) => Task.FromResult(File.Exists(PathOf(bucket, name)));

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

    /// <inheritdoc/>
    public async IAsyncEnumerable<StoredFile> ListAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await Task.Yield();
        foreach (
            var bucket in new DirectoryInfo(_root)
                .EnumerateDirectories()
                .Where(folder => folder.Name[0] != '.')
                .OrderBy(folder => folder.Name, StringComparer.Ordinal)
        )
        {
            foreach (var file in Walk(bucket))
            {
                cancellationToken.ThrowIfCancellationRequested();
                yield return new(bucket.Name, Path.GetRelativePath(bucket.FullName, file.FullName).Replace('\\', '/'), file.Length, file.LastWriteTimeUtc);
            }
        }
    }

    /// <inheritdoc/>
    public Task SweepAsync(TimeSpan age, CancellationToken cancellationToken)
    {
        _temporary.Sweep(age);
        return Task.CompletedTask;
    }

    /// <summary>Depth first, a folder sorted as if its name ended in a slash: the order of whole names.</summary>
    private static IEnumerable<FileInfo> Walk(DirectoryInfo folder)
    {
        foreach (
            var entry in folder.EnumerateFileSystemInfos().OrderBy(entry => entry is DirectoryInfo ? entry.Name + "/" : entry.Name, StringComparer.Ordinal)
        )
        {
            if (entry is DirectoryInfo inner)
            {
                foreach (var file in Walk(inner))
                {
                    yield return file;
                }
            }
            else if (entry is FileInfo { Exists: true } file)
            {
                yield return file;
            }
        }
    }

    private string PathOf(string bucket, string name)
    {
        var home = Path.Combine(_root, bucket) + Path.DirectorySeparatorChar;
        var path = Path.GetFullPath(Path.Combine(home, name));
        return path.StartsWith(home, StringComparison.Ordinal) ? path : throw new ArgumentException("a file name may not lead out of the store", nameof(name));
    }
}
