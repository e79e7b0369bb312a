using System.Runtime.CompilerServices;
using Microsoft.Extensions.Options;

namespace Reelbase.Server.Platform.Storage;

/// <summary>Files on the local disk, below the data directory.</summary>
public sealed class LocalFileStore : IFileStore
{
    /// <summary>Its folder in the data directory.</summary>
    public const string FolderName = "storage";

    /// <summary>The file with the folder's random id.</summary>
    private const string FolderMarker = "reelbase-folder";

    private readonly string _root;
    private readonly TemporaryFiles _temporary;

    public LocalFileStore(IOptions<ServerOptions> options)
    {
        _root = Path.GetFullPath(Path.Combine(options.Value.DataDirectory, FolderName));
        PrivateFiles.OwnFolder(_root);
        _temporary = new(Path.Combine(_root, ".tmp"));
    }

    /// <inheritdoc/>
    public string NewTemporaryPath() => _temporary.NewPath();

    /// <inheritdoc/>
    public Task PutAsync(string bucket, string name, string sourcePath, string contentType, CancellationToken cancellationToken)
    {
        var path = PathOf(bucket, name);
        PrivateFiles.CreateFolder(Path.GetDirectoryName(path)!);
        PrivateFiles.Close(sourcePath);
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
    public async IAsyncEnumerable<StoredFile> ListAsync(string afterBucket, string afterName, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await Task.Yield();
        foreach (var bucket in StoreBuckets.All.Where(bucket => string.CompareOrdinal(bucket, afterBucket) >= 0))
        {
            var folder = new DirectoryInfo(Path.Combine(_root, bucket));
            foreach (var (name, file) in folder.Exists ? Walk(folder, "", bucket == afterBucket ? afterName : "") : [])
            {
                cancellationToken.ThrowIfCancellationRequested();
                yield return new(bucket, name, file.Length, file.LastWriteTimeUtc);
            }
        }
    }

    /// <inheritdoc/>
    public async Task<string?> ReadMarkerAsync(CancellationToken cancellationToken)
    {
        try
        {
            return (await File.ReadAllTextAsync(MarkerPath, cancellationToken)).Trim();
        }
        catch (Exception error) when (error is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
        catch (UnauthorizedAccessException error)
        {
            throw new StorageException("the store's marker may not be read", error);
        }
    }

    /// <inheritdoc/>
    public async Task WriteMarkerAsync(string installation, CancellationToken cancellationToken)
    {
        var path = NewTemporaryPath();
        await PrivateFiles.WriteAsync(path, installation + "\n", cancellationToken);
        File.Move(path, MarkerPath, overwrite: true);
    }

    /// <summary>The random id of the folder of local files; null when it has none.</summary>
    public static async Task<Guid?> ReadFolderMarkerAsync(string dataDirectory, CancellationToken cancellationToken)
    {
        try
        {
            return Guid.TryParse(await File.ReadAllTextAsync(FolderMarkerPath(dataDirectory), cancellationToken), out var marker) ? marker : null;
        }
        catch (Exception error) when (error is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
    }

    /// <summary>The same, given to the folder when it has none; of two that come at once both get the first one's.</summary>
    public static async Task<Guid> MarkAsync(string dataDirectory, CancellationToken cancellationToken)
    {
        var path = FolderMarkerPath(dataDirectory);
        if (!File.Exists(path))
        {
            PrivateFiles.CreateFolder(Path.GetDirectoryName(path)!);
            var temporary = $"{path}.{Guid.NewGuid():N}";
            await PrivateFiles.WriteAsync(temporary, $"{Guid.NewGuid()}\n", cancellationToken);
            try
            {
                File.Move(temporary, path, overwrite: false);
            }
            catch (IOException) when (File.Exists(path))
            {
                File.Delete(temporary);
            }
        }
        return await ReadFolderMarkerAsync(dataDirectory, cancellationToken)
            ?? throw new StorageException($"{path} holds no id: it is the marker of this folder");
    }

    private static string FolderMarkerPath(string dataDirectory) => Path.GetFullPath(Path.Combine(dataDirectory, FolderName, FolderMarker));

    private string MarkerPath => Path.Combine(_root, StoreBuckets.Marker);

    /// <inheritdoc/>
    public Task SweepAsync(TimeSpan age, CancellationToken cancellationToken)
    {
        _temporary.Sweep(age);
        return Task.CompletedTask;
    }

    /// <summary>Depth first, a folder sorted as if its name ended in a slash: the order of whole names. Folders before <paramref name="after"/> are not opened.</summary>
    private static IEnumerable<(string Name, FileInfo File)> Walk(DirectoryInfo folder, string prefix, string after)
    {
        foreach (var (key, entry) in Entries(folder, prefix))
        {
            if (entry is DirectoryInfo inner)
            {
                // A disk's own folder, which nobody but root may enter.
                if (entry.Name != "lost+found" && (string.CompareOrdinal(key, after) > 0 || after.StartsWith(key, StringComparison.Ordinal)))
                {
                    foreach (var found in Walk(inner, key, after))
                    {
                        yield return found;
                    }
                }
            }
            else if (entry is FileInfo { Exists: true } file && string.CompareOrdinal(key, after) > 0)
            {
                yield return (key, file);
            }
        }
    }

    /// <summary>What may not be read must not be taken for missing.</summary>
    private static List<(string Key, FileSystemInfo Entry)> Entries(DirectoryInfo folder, string prefix)
    {
        try
        {
            return folder
                .EnumerateFileSystemInfos()
                .Select(entry => (Key: prefix + entry.Name + (entry is DirectoryInfo ? "/" : ""), Entry: entry))
                .OrderBy(entry => entry.Key, StringComparer.Ordinal)
                .ToList();
        }
        catch (UnauthorizedAccessException error)
        {
            throw new StorageException("a folder of the store may not be read", error);
        }
    }

    private string PathOf(string bucket, string name)
    {
        var home = Path.Combine(_root, bucket) + Path.DirectorySeparatorChar;
        var path = Path.GetFullPath(Path.Combine(home, name));
        return path.StartsWith(home, StringComparison.Ordinal) ? path : throw new ArgumentException("a file name may not lead out of the store", nameof(name));
    }
}
