// What TypeScript must be told about files that are not TypeScript.
declare module "*.css";
declare module "@fontsource-variable/inter";
