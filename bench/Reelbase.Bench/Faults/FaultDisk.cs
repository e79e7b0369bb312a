using System.Diagnostics;
using System.Globalization;

namespace Reelbase.Bench.Faults;

/// <summary>The disk of the file store: a small file system of its own in memory, which can be made as small as what is on it. Without the right to mount it stays a folder that never fills up.</summary>
public sealed class FaultDisk : IDisposable
{
    private const string Roomy = "512m";
    private const int PageBytes = 4096;

    private readonly string _directory;

    private FaultDisk(string directory, bool isMounted) => (_directory, IsMounted) = (directory, isMounted);

    public bool IsMounted { get; }

    public static FaultDisk Mount(string directory)
    {
        Directory.CreateDirectory(directory);
        return new(directory, Run("mount", "-t", "tmpfs", "-o", "size=" + Roomy, "tmpfs", directory));
    }

    /// <summary>From now on nothing more can be written.</summary>
    public void Fill()
    {
        var drive = new DriveInfo(_directory);
        var used = drive.TotalSize - drive.TotalFreeSpace;
        _ = Run("mount", "-o", "remount,size=" + Math.Max(PageBytes, used).ToString(CultureInfo.InvariantCulture), _directory);
    }

    /// <summary>There is room again.</summary>
    public void Empty() => _ = Run("mount", "-o", "remount,size=" + Roomy, _directory);

    /// <inheritdoc/>
    public void Dispose()
    {
        if (IsMounted)
        {
            _ = Run("umount", "-l", _directory);
        }
    }

    private static bool Run(string program, params string[] args)
    {
        try
        {
            using var process = Process.Start(new ProcessStartInfo(program, args) { RedirectStandardError = true, RedirectStandardOutput = true })!;
            process.WaitForExit();
            return process.ExitCode == 0;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return false;
        }
    }
}
