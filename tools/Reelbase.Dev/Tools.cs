namespace Reelbase.Dev;

/// <summary>Programs of the machine.</summary>
internal static class Tools
{
    /// <summary>Whether there is a program of this name.</summary>
    public static bool Has(string name) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "")
            .Split(':', StringSplitOptions.RemoveEmptyEntries)
            // Debian's nginx lies where only the path of root leads.
            .Append("/usr/sbin")
            .Select(folder => Path.Combine(folder, name))
            .Any(file => File.Exists(file) && (File.GetUnixFileMode(file) & (UnixFileMode.UserExecute | UnixFileMode.OtherExecute)) != 0);

    /// <summary>Installs the packages that a folder's lock file names.</summary>
    public static Call InstallNodePackages(string folder) =>
        new("npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error") { Folder = SourceTree.PathOf(folder) };
}
