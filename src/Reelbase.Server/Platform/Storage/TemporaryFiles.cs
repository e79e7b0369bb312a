using System.Globalization;

namespace Reelbase.Server.Platform.Storage;

/// <summary>Files in the making. Their names say who makes them, so that what a dead process has left can be distinguished from what another one writes.</summary>
public sealed class TemporaryFiles
{
    private static readonly TimeSpan OldAge = TimeSpan.FromHours(1);
    private static readonly string Mine = $"{Environment.MachineName}-{Environment.ProcessId.ToString(CultureInfo.InvariantCulture)}-";

    private readonly string _folder;

    public TemporaryFiles(string folder)
    {
        _folder = folder;
        PrivateFiles.CreateFolder(folder);
        Sweep(OldAge);
    }

    /// <summary>A path that nobody uses.</summary>
    public string NewPath() => Path.Combine(_folder, Mine + Guid.NewGuid().ToString("N"));

    /// <summary>Removes what is older than <paramref name="age"/>, or whose process on this machine is no more.</summary>
    public void Sweep(TimeSpan age)
    {
        foreach (var file in Directory.EnumerateFiles(_folder))
        {
            if (File.GetLastWriteTimeUtc(file) < DateTime.UtcNow - age || IsOfTheDead(Path.GetFileName(file)))
            {
                File.Delete(file);
            }
        }
    }

    private static bool IsOfTheDead(string name)
    {
        // machine-process-guid; another machine's processes cannot be seen from here.
        var start = Environment.MachineName + "-";
        if (
            !name.StartsWith(start, StringComparison.Ordinal)
            || !int.TryParse(name[start.Length..].Split('-')[0], NumberStyles.None, CultureInfo.InvariantCulture, out var process)
        )
        {
            return false;
        }
        try
        {
            using var found = System.Diagnostics.Process.GetProcessById(process);
            return found.HasExited;
        }
        catch (ArgumentException)
        {
            return true;
        }
    }
}
