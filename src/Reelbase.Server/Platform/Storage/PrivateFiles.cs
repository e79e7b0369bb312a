namespace Reelbase.Server.Platform.Storage;

/// <summary>Files and folders that are their owner's alone, from the moment that they exist: between making and closing somebody could read them.</summary>
public static class PrivateFiles
{
    // Of the system: ENOSPC and EDQUOT.
    private const int NoSpaceLeft = 28;
    private const int OverQuota = 122;

    private const UnixFileMode FileMode0600 = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private const UnixFileMode FolderMode0700 = FileMode0600 | UnixFileMode.UserExecute;

    /// <summary>Makes a folder and those above it that are missing, each of them private: .NET itself gives the mode to the last one only.</summary>
    public static void CreateFolder(string path)
    {
        if (Directory.Exists(path))
        {
            return;
        }
        if (Path.GetDirectoryName(Path.GetFullPath(path)) is { } parent)
        {
            CreateFolder(parent);
        }
        Directory.CreateDirectory(path, FolderMode0700);
    }

    /// <summary>Makes a folder in one that may be open, or closes it where an earlier release made it open.</summary>
    public static void OwnFolder(string path)
    {
        // The private PostgreSQL has an account of its own and has to pass through what is above.
        if (Path.GetDirectoryName(Path.GetFullPath(path)) is { } parent)
        {
            Directory.CreateDirectory(parent);
        }
        CreateFolder(path);
        if (File.GetUnixFileMode(path) is var mode && mode != FolderMode0700)
        {
            try
            {
                File.SetUnixFileMode(path, FolderMode0700);
            }
            catch (UnauthorizedAccessException)
            {
                // A mounted folder of somebody else: its rights are the operator's.
            }
        }
    }

    /// <summary>Whether a file could not be written because the disk, or our part of it, is full.</summary>
    public static bool IsDiskFull(Exception error) => error is IOException && (error.HResult & 0xFFFF) is NoSpaceLeft or OverQuota;

    /// <summary>Opens a new file for writing; an existing one becomes empty.</summary>
    public static FileStream Create(string path) =>
        new(
            path,
            new FileStreamOptions
            {
                Mode = FileMode.Create,
                Access = FileAccess.Write,
                Share = FileShare.None,
                UnixCreateMode = FileMode0600,
            }
        );

    /// <summary>Writes a new file; one that is there already is replaced, since it may have other rights.</summary>
    public static async Task WriteAsync(string path, string text, CancellationToken cancellationToken)
    {
        File.Delete(path);
        await using var file = Create(path);
        await file.WriteAsync(System.Text.Encoding.UTF8.GetBytes(text), cancellationToken);
    }

    /// <summary>Gives a file that somebody else made the rights of ours, before it is where it is looked for.</summary>
    public static void Close(string path)
    {
        if (File.GetUnixFileMode(path) != FileMode0600)
        {
            File.SetUnixFileMode(path, FileMode0600);
        }
    }
}
